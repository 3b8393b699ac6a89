// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/* clock: nanoseconds. Any thread. */

#define CLOCK_NS_PER_S  INT64_C(1000000000)
#define CLOCK_NS_PER_MS INT64_C(1000000)

/* Since the epoch: what CRI timestamps are. */
int64_t clock_now_ns(void);

/* Since an arbitrary start and never backwards: what deadlines are made of. */
int64_t clock_monotonic_ns(void);
