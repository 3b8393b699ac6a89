// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"

/* poller: what the shim's only thread waits for: descriptors (epoll) and moments.
 *
 * Sources and timers live in their owners' memory, so waiting allocates nothing. It takes one
 * event at a time from the kernel; therefore any callback may remove and free any source. */
struct poller_source {
    int fd; /* -1: not added */
    uint32_t events;
    void (*ready)(struct poller_source *s, uint32_t events);
};

struct poller_timer {
    struct list link;
    int64_t at_ns;
    void (*fire)(struct poller_timer *t);
};

struct poller {
    int epoll_fd;
    struct list timers;
    bool is_stopped;
};

MUST_CHECK int poller_init(struct poller *p, struct error *err);

/* The descriptor stays the caller's, who removes the source before closing it. */
MUST_CHECK int poller_add(struct poller *p, struct poller_source *s, int fd, uint32_t events,
                          struct error *err);
void poller_change(struct poller *p, struct poller_source *s, uint32_t events);
/* Nothing happens when it is not added. */
void poller_remove(struct poller *p, struct poller_source *s);

void poller_timer_init(struct poller_timer *t, void (*fire)(struct poller_timer *t));
/* Fires once, ms from now; setting it again moves it. */
void poller_timer_set(struct poller *p, struct poller_timer *t, int64_t ms);
void poller_timer_clear(struct poller_timer *t);

/* Until poller_stop(). */
MUST_CHECK int poller_run(struct poller *p, struct error *err);
void poller_stop(struct poller *p);
