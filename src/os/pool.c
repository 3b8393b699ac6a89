// SPDX-License-Identifier: Apache-2.0
#include "os/pool.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <time.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/own.h"

/* Idle threads form a stack: a job goes to the thread that became idle last, whose caches are warm,
 * and those below it are left alone until their time is over. One thread always stays. When the
 * others have left, a burst of requests is over, and the memory that it has freed goes back to the
 * kernel: the allocator keeps it otherwise, since small live pieces stand behind it.
 *
 * A job is handed to an idle thread without the lock, and the thread starts without it: whoever has
 * been taken off the stack waits for the semaphore, come what may. */

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
enum { IDLE_S = 1 };

struct pool_job {
    struct list link;
    void (*run)(void *data);
    void *data;
};

/* One idle thread, on its own stack. */
struct idler {
    struct list link; /* in idlers until it is woken */
    sem_t woken;
    struct pool_job *job; /* what it was woken for; NULL: to see that the pool closes */
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t emptied; /* the last thread has left */
    pthread_attr_t thread_attr;
    size_t threads;
    size_t threads_max;
    bool closing;
    struct list jobs;
    struct list idlers; /* the last is the top of the stack */
};

/* The idler on top, taken off the stack, or NULL. Holds the lock. */
static struct idler *take_idler(struct pool *p)
{
    struct idler *top;

    if (list_is_empty(&p->idlers))
        return NULL;
    top = LIST_OF(p->idlers.prev, struct idler, link);
    list_remove(&top->link);
    return top;
}

/* The idler may be gone when this returns. */
static void wake(struct idler *idler, struct pool_job *job)
{
    idler->job = job;
    sem_post(&idler->woken);
}

/* Returns false after IDLE_S. By the wall clock: when it jumps, a thread goes sooner or later. */
static bool wait_a_while(struct idler *self)
{
    struct timespec until;
    int rc;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += IDLE_S;
    do
        rc = sem_timedwait(&self->woken, &until);
    while (rc < 0 && errno == EINTR);
    return rc == 0;
}

static void wait_until_woken(struct idler *self)
{
    while (sem_wait(&self->woken) < 0)
        ;
}

/* Takes itself off the stack, and then holds the lock; false when it has been taken off, or must
 * stay because it is the last thread. */
static bool leave(struct pool *p, struct idler *self)
{
    pthread_mutex_lock(&p->lock);
    if (list_is_empty(&self->link) || p->threads == 1) {
        pthread_mutex_unlock(&p->lock);
        return false;
    }
    list_remove(&self->link);
    return true;
}

/* Waits in the stack, and gives up the lock for it. Returns what it was woken for, or, with the
 * lock, NULL: the pool closes or the thread has been idle for long enough. */
static struct pool_job *idle(struct pool *p)
{
    struct idler self = {0};
    bool leaves = false;

    sem_init(&self.woken, 0, 0);
    list_add(&p->idlers, &self.link);
    pthread_mutex_unlock(&p->lock);
    if (!wait_a_while(&self)) {
        leaves = leave(p, &self);
        if (!leaves)
            wait_until_woken(&self);
    }
    sem_destroy(&self.woken);
    if (!leaves && !self.job)
        pthread_mutex_lock(&p->lock);
    return self.job;
}

/* The next job, without the lock, or NULL with the lock when the thread shall end. */
static struct pool_job *next_job(struct pool *p)
{
    struct pool_job *job;

    pthread_mutex_lock(&p->lock);
    if (list_is_empty(&p->jobs))
        return p->closing ? NULL : idle(p);
    job = LIST_OF(p->jobs.next, struct pool_job, link);
    list_remove(&job->link);
    pthread_mutex_unlock(&p->lock);
    return job;
}

static void *work(void *data)
{
    struct pool *p = data;
    struct pool_job *job;
    size_t left;

    while ((job = next_job(p))) {
        void (*run)(void *) = job->run;
        void *job_data = job->data;

        free(job);
        run(job_data);
    }
    left = --p->threads;
    if (left == 0)
        pthread_cond_signal(&p->emptied);
    pthread_mutex_unlock(&p->lock);
    if (left == 1) /* the pool may be gone from here on */
        malloc_trim(0);
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
    pthread_condattr_t monotonic;
    int rc;

    p->threads_max = threads_max ? threads_max : 1;
    list_init(&p->jobs);
    list_init(&p->idlers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&p->emptied, &monotonic);
    pthread_condattr_destroy(&monotonic);
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

/* Holds the lock. */
static void begin_to_close(struct pool *p)
{
    struct idler *idler;

    p->closing = true;
    while ((idler = take_idler(p)))
        wake(idler, NULL);
}

bool pool_close(struct pool *p, int64_t ms)
{
    int64_t at_ns = clock_monotonic_ns() + ms * CLOCK_NS_PER_MS;
    struct timespec at = {.tv_sec = at_ns / CLOCK_NS_PER_S, .tv_nsec = at_ns % CLOCK_NS_PER_S};
    bool is_empty;

    pthread_mutex_lock(&p->lock);
    begin_to_close(p);
    while (p->threads > 0 && pthread_cond_timedwait(&p->emptied, &p->lock, &at) != ETIMEDOUT)
        ;
    is_empty = p->threads == 0;
    pthread_mutex_unlock(&p->lock);
    return is_empty;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    begin_to_close(p);
    while (p->threads > 0)
        pthread_cond_wait(&p->emptied, &p->lock);
    pthread_mutex_unlock(&p->lock);
    pthread_attr_destroy(&p->thread_attr);
    pthread_cond_destroy(&p->emptied);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void pool_submit(struct pool *p, void (*run)(void *data), void *data)
{
    struct pool_job *job = xmalloc(sizeof *job);
    struct idler *idler;

    job->run = run;
    job->data = data;
    pthread_mutex_lock(&p->lock);
    idler = take_idler(p);
    if (!idler) {
        list_add(&p->jobs, &job->link);
        /* When no thread can be made, one of those there are will come to it. */
        if (p->threads < p->threads_max)
            (void)add_thread(p);
    }
    pthread_mutex_unlock(&p->lock);
    if (idler)
        wake(idler, job);
}
