// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* stop: whether this run is to end before its work is done: after SIGTERM or SIGINT, or when nobody
 * reads its events any more.
 *
 * Whoever works long asks now and then and gives up by itself, removing its temporaries. Whoever
 * has not done so STOP_GRACE_MS later is ended: the next run removes what is left. Any thread. */
enum { STOP_GRACE_MS = 3000 };

/* Once, before any thread: it blocks the signals and starts the thread that waits for them.
 * events_fd is where the events go. */
MUST_CHECK int stop_watch(int events_fd, struct error *err);

/* As if a signal had come. */
void stop_request(void);

bool stop_is_requested(void);

/* ERROR_CANCELLED when it is. */
MUST_CHECK int stop_check(struct error *err);

/* Sleeps, though not past a request. */
void stop_sleep_ms(int ms);
