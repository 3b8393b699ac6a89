// SPDX-License-Identifier: Apache-2.0
#include "shim/poller.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>

#include "base/clock.h"

int poller_init(struct poller *p, struct error *err)
{
    list_init(&p->timers);
    p->is_stopped = false;
    p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll_fd < 0)
        return error_errno(err, errno, "epoll");
    return 0;
}

int poller_add(struct poller *p, struct poller_source *s, int fd, uint32_t events,
               struct error *err)
{
    struct epoll_event event = {.events = events, .data.ptr = s};

    if (epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        return error_errno(err, errno, "watch a descriptor");
    s->fd = fd;
    s->events = events;
    return 0;
}

void poller_change(struct poller *p, struct poller_source *s, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = s};
    int failed = events == s->events ? 0 : epoll_ctl(p->epoll_fd, EPOLL_CTL_MOD, s->fd, &event);

    assert(failed == 0);
    s->events = events;
}

void poller_remove(struct poller *p, struct poller_source *s)
{
    if (s->fd < 0)
        return;
    epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, s->fd, NULL);
    s->fd = -1;
}

void poller_timer_init(struct poller_timer *t, void (*fire)(struct poller_timer *t))
{
    *t = (struct poller_timer){.fire = fire};
    list_init(&t->link);
}

void poller_timer_set(struct poller *p, struct poller_timer *t, int64_t ms)
{
    t->at_ns = clock_monotonic_ns() + ms * CLOCK_NS_PER_MS;
    if (list_is_empty(&t->link))
        list_add(&p->timers, &t->link);
}

void poller_timer_clear(struct poller_timer *t)
{
    list_remove(&t->link);
}

/* There are a handful of timers at most times, so the soonest is found by looking at all. */
static struct poller_timer *soonest(struct poller *p)
{
    struct poller_timer *found = NULL;

    LIST_EACH(entry, &p->timers)
    {
        struct poller_timer *t = LIST_OF(entry, struct poller_timer, link);

        if (!found || t->at_ns < found->at_ns)
            found = t;
    }
    return found;
}

/* Fires what is due, one at a time because a callback may clear any other; returns how long to
 * wait for the next in milliseconds. */
static int fire_due(struct poller *p)
{
    struct poller_timer *t;

    while ((t = soonest(p))) {
        int64_t left_ns = t->at_ns - clock_monotonic_ns();

        if (left_ns > 0)
            return (int)((left_ns + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS);
        list_remove(&t->link);
        t->fire(t);
    }
    return -1;
}

int poller_run(struct poller *p, struct error *err)
{
    while (!p->is_stopped) {
        int timeout_ms = fire_due(p);
        struct epoll_event event;
        int n = p->is_stopped ? 0 : epoll_wait(p->epoll_fd, &event, 1, timeout_ms);

        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "wait for events");
        if (n > 0) {
            struct poller_source *s = event.data.ptr;

            s->ready(s, event.events);
        }
    }
    return 0;
}

void poller_stop(struct poller *p)
{
    p->is_stopped = true;
}
