// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* cpu_sample: the last look at a counter of CPU time, and the rate since the one before. It lies in
 * a container or a sandbox, under the node's lock. */
struct cpu_sample {
    int64_t at_ns; /* monotonic; 0: never looked */
    uint64_t used_ns;
    uint64_t nano_cores;
    bool has_rate;
};
