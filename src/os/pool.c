// SPDX-License-Identifier: Apache-2.0
#include "os/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "base/list.h"
#include "base/own.h"

/* Idle threads form a stack: a job goes to the thread that became idle last, whose caches are warm,
 * and those below it are left alone until their time is over. One thread always stays. */

#if defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define SANITIZED 1
#    endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define SANITIZED 1
#endif

#ifdef SANITIZED
enum { STACK_SIZE = 1024 * 1024 }; /* their redzones need the room */
#else
enum { STACK_SIZE = 256 * 1024 };
#endif
enum { IDLE_S = 10 };

struct pool_job {
    struct list link;
    void (*run)(void *data);
    void *data;
};

/* One idle thread, on its own stack. */
struct idler {
    struct list link;
    pthread_cond_t wake;
    struct pool_job *job; /* what it was woken for; NULL: to look around */
    bool woken;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t emptied; /* the last thread has left */
    pthread_attr_t thread_attr;
    pthread_condattr_t monotonic;
    size_t threads;
    size_t threads_max;
    bool closing;
    struct list jobs;
    struct list idlers; /* the last is the top of the stack */
};

/* Wakes the idler on top for a job, or, with NULL, to see that the pool closes. */
static void wake_one(struct pool *p, struct pool_job *job)
{
    struct idler *top = LIST_OF(p->idlers.prev, struct idler, link);

    list_remove(&top->link);
    top->job = job;
    top->woken = true;
    pthread_cond_signal(&top->wake);
}

/* Waits in the stack of idlers. Returns false when the thread has been idle for long enough to go,
 * or the pool closes; otherwise *out is a job or NULL. Holds the lock. */
static bool idle(struct pool *p, struct pool_job **out)
{
    struct idler self = {0};
    struct timespec until;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    pthread_cond_init(&self.wake, &p->monotonic);
    list_add(&p->idlers, &self.link);
    while (!self.woken && (rc != ETIMEDOUT || p->threads == 1)) {
        if (rc == ETIMEDOUT)
            pthread_cond_wait(&self.wake, &p->lock);
        else
            rc = pthread_cond_timedwait(&self.wake, &p->lock, &until);
    }
    list_remove(&self.link);
    pthread_cond_destroy(&self.wake);
    *out = self.job;
    return self.woken;
}

/* The next job, or NULL when the thread shall end. Holds the lock. */
static struct pool_job *next_job(struct pool *p)
{
    struct pool_job *job = NULL;

    while (!job) {
        if (!list_is_empty(&p->jobs)) {
            job = LIST_OF(p->jobs.next, struct pool_job, link);
            list_remove(&job->link);
        } else if (p->closing || !idle(p, &job)) {
            break;
        }
    }
    return job;
}

static void *work(void *data)
{
    struct pool *p = data;
    struct pool_job *job;

    pthread_mutex_lock(&p->lock);
    while ((job = next_job(p))) {
        void (*run)(void *) = job->run;
        void *job_data = job->data;

        pthread_mutex_unlock(&p->lock);
        free(job);
        run(job_data);
        pthread_mutex_lock(&p->lock);
    }
    if (--p->threads == 0)
        pthread_cond_signal(&p->emptied);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* Signals are for the thread that asks for them, never for one of ours. Returns an errno. */
static int add_thread(struct pool *p)
{
    sigset_t all, before;
    pthread_t thread;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&thread, &p->thread_attr, work, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        p->threads++;
    return rc;
}

struct pool *pool_new(size_t threads_max, struct error *err)
{
    struct pool *p = xcalloc(1, sizeof *p);
    int rc;

    p->threads_max = threads_max ? threads_max : 1;
    list_init(&p->jobs);
    list_init(&p->idlers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->emptied, NULL);
    pthread_condattr_init(&p->monotonic);
    pthread_condattr_setclock(&p->monotonic, CLOCK_MONOTONIC);
    pthread_attr_init(&p->thread_attr);
    pthread_attr_setstacksize(&p->thread_attr, STACK_SIZE);
    pthread_attr_setdetachstate(&p->thread_attr, PTHREAD_CREATE_DETACHED);

    pthread_mutex_lock(&p->lock);
    rc = add_thread(p);
    pthread_mutex_unlock(&p->lock);
    if (rc) {
        error_errno(err, rc, "start thread");
        pool_free(p);
        return NULL;
    }
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    while (!list_is_empty(&p->idlers))
        wake_one(p, NULL);
    while (p->threads > 0)
        pthread_cond_wait(&p->emptied, &p->lock);
    pthread_mutex_unlock(&p->lock);
    pthread_attr_destroy(&p->thread_attr);
    pthread_condattr_destroy(&p->monotonic);
    pthread_cond_destroy(&p->emptied);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pool_submit(struct pool *p, void (*run)(void *data), void *data)
{
    struct pool_job *job = xmalloc(sizeof *job);

    job->run = run;
    job->data = data;
    pthread_mutex_lock(&p->lock);
    if (!list_is_empty(&p->idlers)) {
        wake_one(p, job);
    } else {
        list_add(&p->jobs, &job->link);
        /* When no thread can be made, one of those there are will come to it. */
        if (p->threads < p->threads_max)
            (void)add_thread(p);
    }
    pthread_mutex_unlock(&p->lock);
}
