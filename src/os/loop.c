// SPDX-License-Identifier: Apache-2.0
#include "os/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/own.h"

/* A batch of events holds pointers to sources, and a callback may remove any of them. So a removed
 * source is only marked, waits in the list of the dead, and is freed when the batch is through. */
enum { BATCH = 64 };

struct loop_source {
    struct list link; /* in alive or in dead */
    struct loop *loop;
    int fd;
    int timer_fd; /* -1, or the same as fd, and ours to close */
    bool removed;
    loop_callback *callback;
    void *data;
};

struct post {
    struct list link;
    void (*callback)(void *data);
    void *data;
};

struct loop {
    int epoll_fd;
    int wake_fd;
    struct list alive;
    struct list dead;
    atomic_bool stopping;
    pthread_mutex_t lock; /* of posts */
    struct list posts;
};

static int watch(struct loop *l, int fd, uint32_t events, void *data)
{
    struct epoll_event event = {.events = events, .data.ptr = data};

    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

struct loop *loop_new(struct error *err)
{
    AUTO_CLOSE int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    AUTO_CLOSE int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct loop *l;

    if (epoll_fd < 0 || wake_fd < 0) {
        error_errno(err, errno, "make event loop");
        return NULL;
    }
    l = xcalloc(1, sizeof *l);
    l->epoll_fd = fd_take(&epoll_fd);
    l->wake_fd = fd_take(&wake_fd);
    list_init(&l->alive);
    list_init(&l->dead);
    list_init(&l->posts);
    pthread_mutex_init(&l->lock, NULL);
    /* Edge-triggered: every write wakes, and nobody has to read the counter back. */
    if (watch(l, l->wake_fd, EPOLLIN | EPOLLET, NULL) < 0) {
        error_errno(err, errno, "make event loop");
        loop_free(l);
        return NULL;
    }
    return l;
}

static void free_sources(struct list *sources)
{
    LIST_EACH(entry, sources)
    {
        struct loop_source *s = LIST_OF(entry, struct loop_source, link);

        list_remove(entry);
        fd_close(&s->timer_fd);
        free(s);
    }
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    free_sources(&l->alive);
    free_sources(&l->dead);
    LIST_EACH(entry, &l->posts)
    free(LIST_OF(entry, struct post, link));
    pthread_mutex_destroy(&l->lock);
    fd_close(&l->wake_fd);
    fd_close(&l->epoll_fd);
    free(l);
}

struct loop_source *loop_add(struct loop *l, int fd, uint32_t events, loop_callback *callback,
                             void *data, struct error *err)
{
    struct loop_source *s = xcalloc(1, sizeof *s);

    if (watch(l, fd, events, s) < 0) {
        error_errno(err, errno, "watch descriptor %d", fd);
        free(s);
        return NULL;
    }
    s->loop = l;
    s->fd = fd;
    s->timer_fd = -1;
    s->callback = callback;
    s->data = data;
    list_add(&l->alive, &s->link);
    return s;
}

void loop_change(struct loop_source *s, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = s};

    if (epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_MOD, s->fd, &event) < 0)
        abort();
}

void loop_remove(struct loop_source *s)
{
    if (!s)
        return;
    assert(!s->removed);
    epoll_ctl(s->loop->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
    fd_close(&s->timer_fd);
    s->removed = true;
    list_remove(&s->link);
    list_add(&s->loop->dead, &s->link);
}

struct loop_source *loop_add_timer(struct loop *l, int64_t interval_ms, loop_callback *callback,
                                   void *data, struct error *err)
{
    AUTO_CLOSE int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int64_t ns = interval_ms > 0 ? interval_ms * CLOCK_NS_PER_MS : 1; /* 0 would disarm it */
    struct timespec interval = {.tv_sec = ns / CLOCK_NS_PER_S, .tv_nsec = ns % CLOCK_NS_PER_S};
    struct itimerspec when = {.it_interval = interval, .it_value = interval};
    struct loop_source *s;

    if (fd < 0 || timerfd_settime(fd, 0, &when, NULL) < 0) {
        error_errno(err, errno, "make timer");
        return NULL;
    }
    s = loop_add(l, fd, EPOLLIN, callback, data, err);
    if (s)
        s->timer_fd = fd_take(&fd);
    return s;
}

static void wake(struct loop *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->wake_fd, &one, sizeof one);

    /* It fails only when the counter is full, and then the loop is awake anyway. */
    (void)n;
}

void loop_post(struct loop *l, void (*callback)(void *data), void *data)
{
    struct post *post = xmalloc(sizeof *post);
    bool first;

    post->callback = callback;
    post->data = data;
    pthread_mutex_lock(&l->lock);
    first = list_is_empty(&l->posts);
    list_add(&l->posts, &post->link);
    /* Inside the lock, so that whoever has seen the post run may free the loop. */
    if (first)
        wake(l);
    pthread_mutex_unlock(&l->lock);
}

/* Only what is there now: a post that posts again has to wait for the next round. */
static void run_posts(struct loop *l)
{
    struct list posts;

    list_init(&posts);
    pthread_mutex_lock(&l->lock);
    if (!list_is_empty(&l->posts)) {
        list_add(&l->posts, &posts);
        list_remove(&l->posts);
    }
    pthread_mutex_unlock(&l->lock);
    LIST_EACH(entry, &posts)
    {
        struct post *post = LIST_OF(entry, struct post, link);

        post->callback(post->data);
        free(post);
    }
}

static void dispatch(struct loop *l, const struct epoll_event *event)
{
    struct loop_source *s = event->data.ptr;
    uint64_t ticks;

    if (!s) {
        run_posts(l);
        return;
    }
    if (s->removed)
        return;
    if (s->timer_fd >= 0 && read(s->timer_fd, &ticks, sizeof ticks) < 0)
        return;
    s->callback(s->data, event->events);
}

int loop_run(struct loop *l, struct error *err)
{
    struct epoll_event events[BATCH];

    run_posts(l); /* an earlier run may have been stopped before it came to them */
    while (!atomic_load(&l->stopping)) {
        int n = epoll_wait(l->epoll_fd, events, BATCH, -1);

        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "wait for events");
        for (int i = 0; i < n; i++)
            dispatch(l, &events[i]);
        free_sources(&l->dead);
    }
    atomic_store(&l->stopping, false);
    return 0;
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->stopping, true);
    wake(l);
}
