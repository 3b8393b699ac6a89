// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* loop: one thread that waits for many descriptors (epoll).
 *
 * Callbacks run on the thread that is inside loop_run() and must not block. Only that thread may
 * add, change and remove sources, except before loop_run(); loop_post() is for the others. */
struct loop;
struct loop_source;

typedef void loop_callback(void *data, uint32_t events);

MUST_CHECK struct loop *loop_new(struct error *err);
void loop_free(struct loop *l);

/* Calls back on EPOLLIN, EPOLLOUT and so on; the descriptor stays the caller's, who removes the
 * source before closing it. A source may be removed inside any callback, its own too. */
MUST_CHECK struct loop_source *loop_add(struct loop *l, int fd, uint32_t events,
                                        loop_callback *callback, void *data, struct error *err);
void loop_change(struct loop_source *s, uint32_t events);
void loop_remove(struct loop_source *s);

/* Runs a callback once, on the loop's thread, soon. Any thread. */
void loop_post(struct loop *l, void (*callback)(void *data), void *data);

/* Runs a callback every interval_ms until removed, starting one interval from now. */
MUST_CHECK struct loop_source *loop_add_timer(struct loop *l, int64_t interval_ms,
                                              loop_callback *callback, void *data,
                                              struct error *err);

/* Until loop_stop(), which any thread may call. */
MUST_CHECK int loop_run(struct loop *l, struct error *err);
void loop_stop(struct loop *l);
