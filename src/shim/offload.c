// SPDX-License-Identifier: Apache-2.0
#include "shim/offload.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

enum { IDLE_MS = 100, STACK_BYTES = 64 * 1024 };

/* Under the lock, but for what only the shim's own thread looks at. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t wanted;   /* there are jobs */
    pthread_cond_t finished; /* one that is not late */
    struct list jobs;        /* that no thread has taken yet */
    size_t n_jobs;
    struct list returned; /* that were late */
    size_t n_threads;
    size_t n_idle;
    struct poller *poller;
    struct poller_source returns; /* an eventfd, made when the first job is late */
} offload = {.lock = PTHREAD_MUTEX_INITIALIZER, .returns = {.fd = -1}};

static struct timespec in_ms(int64_t ms)
{
    int64_t at_ns = clock_monotonic_ns() + ms * CLOCK_NS_PER_MS;

    return (struct timespec){.tv_sec = at_ns / CLOCK_NS_PER_S, .tv_nsec = at_ns % CLOCK_NS_PER_S};
}

/* ---- on threads beside ---- */

/* NULL: nothing came for a while. With the lock. */
static struct offload_job *await_job(void)
{
    struct timespec until = in_ms(IDLE_MS);
    struct offload_job *j;
    int failed = 0;

    offload.n_idle++;
    while (offload.n_jobs == 0 && failed == 0)
        failed = pthread_cond_timedwait(&offload.wanted, &offload.lock, &until);
    offload.n_idle--;
    if (offload.n_jobs == 0)
        return NULL;
    j = LIST_OF(offload.jobs.next, struct offload_job, link);
    list_remove(&j->link);
    offload.n_jobs--;
    return j;
}

static void finish(struct offload_job *j)
{
    uint64_t one = 1;

    j->is_done = true;
    if (!j->is_late) {
        pthread_cond_signal(&offload.finished);
        return;
    }
    list_add(&offload.returned, &j->link);
    if (write(offload.returns.fd, &one, sizeof one) < 0)
        abort(); /* it is never full */
}

static void *work(void *unused)
{
    struct offload_job *j;

    (void)unused;
    pthread_mutex_lock(&offload.lock);
    while ((j = await_job())) {
        pthread_mutex_unlock(&offload.lock);
        j->work(j);
        pthread_mutex_lock(&offload.lock);
        finish(j);
    }
    offload.n_threads--;
    pthread_mutex_unlock(&offload.lock);
    return NULL;
}

/* ---- on the shim's own ---- */

static void on_returns(struct poller_source *s, uint32_t events)
{
    uint64_t count;

    (void)events;
    if (read(s->fd, &count, sizeof count) < 0)
        return;
    pthread_mutex_lock(&offload.lock);
    while (!list_is_empty(&offload.returned)) {
        struct offload_job *j = LIST_OF(offload.returned.next, struct offload_job, link);

        list_remove(&j->link);
        pthread_mutex_unlock(&offload.lock);
        j->done(j);
        pthread_mutex_lock(&offload.lock);
    }
    pthread_mutex_unlock(&offload.lock);
}

void offload_init(struct poller *p)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&offload.wanted, &attributes);
    pthread_cond_init(&offload.finished, &attributes);
    pthread_condattr_destroy(&attributes);
    offload.poller = p;
    offload.returns.ready = on_returns;
    list_init(&offload.jobs);
    list_init(&offload.returned);
}

/* Signals are for the shim's own thread. */
static bool start_thread(void)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_t thread;
    int failed;

    if (offload.n_threads == OFFLOAD_THREADS_MAX)
        return true; /* it waits for one of them */
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&thread, &attributes, work, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    offload.n_threads += failed == 0;
    return failed == 0;
}

/* What comes back late has a way to tell. */
static bool can_be_late(void)
{
    struct error ignored;
    int fd;

    if (offload.returns.fd >= 0)
        return true;
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd >= 0 && poller_add(offload.poller, &offload.returns, fd, EPOLLIN, &ignored) == 0)
        return true;
    fd_close(&fd);
    return false;
}

/* With the lock. */
static void await(struct offload_job *j, int64_t patience_ms)
{
    struct timespec until = in_ms(patience_ms);
    int failed = 0;

    while (!j->is_done && failed == 0)
        failed = pthread_cond_timedwait(&offload.finished, &offload.lock, &until);
    while (!j->is_done && !can_be_late())
        pthread_cond_wait(&offload.finished, &offload.lock);
}

bool offload_run(struct offload_job *j, int64_t patience_ms)
{
    bool is_done;

    j->is_done = j->is_late = false;
    pthread_mutex_lock(&offload.lock);
    if (offload.n_idle <= offload.n_jobs && !start_thread()) {
        pthread_mutex_unlock(&offload.lock);
        j->work(j);
        return true;
    }
    list_add(&offload.jobs, &j->link);
    offload.n_jobs++;
    pthread_cond_signal(&offload.wanted);
    await(j, patience_ms);
    is_done = j->is_done;
    j->is_late = !is_done;
    pthread_mutex_unlock(&offload.lock);
    return is_done;
}

bool offload_await(struct offload_job *j, int64_t patience_ms)
{
    bool is_done;

    pthread_mutex_lock(&offload.lock);
    if (j->is_done)
        list_remove(&j->link); /* from those that returned */
    j->is_late = false;
    await(j, patience_ms);
    is_done = j->is_done;
    j->is_late = !is_done;
    pthread_mutex_unlock(&offload.lock);
    return is_done;
}

size_t offload_threads(void)
{
    size_t n;

    pthread_mutex_lock(&offload.lock);
    n = offload.n_threads;
    pthread_mutex_unlock(&offload.lock);
    return n;
}
