// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/error.h"

/* deadline: until when a call may take, and how its client calls it off.
 *
 * Everything that blocks takes one and gives up with ERROR_DEADLINE or ERROR_CANCELLED. A value,
 * copied freely; it does not own the descriptor. Any thread. */
struct deadline {
    int64_t at_ns; /* clock_monotonic_ns(); 0: none */
    int cancel_fd; /* becomes readable when the client goes away; -1: never */
};

#define DEADLINE_NONE ((struct deadline){.cancel_fd = -1})

struct deadline deadline_in_ms(int64_t ms);

/* The sooner of by and ms from now, with by's cancel_fd. */
struct deadline deadline_sooner(const struct deadline *by, int64_t ms);

/* Waits until fd has one of events (POLLIN, POLLOUT) or a hang-up. */
MUST_CHECK int deadline_wait(const struct deadline *by, int fd, short events, struct error *err);

/* Milliseconds until then, at least 0; INT64_MAX without one. */
int64_t deadline_left_ms(const struct deadline *by);

/* Fails when it has passed or was called off. */
MUST_CHECK int deadline_check(const struct deadline *by, struct error *err);
