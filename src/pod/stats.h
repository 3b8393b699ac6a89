// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/arena.h"
#include "base/error.h"
#include "pod/container.h"
#include "pod/sandbox.h"

/* stats: what pods and containers use, read from the kernel when it is asked for; nothing runs in
 * between. The rate of CPU use is that since the question before. Any thread. */

/* Without a cgroup, attributes and the writable layer only. */
Runtime__V1__ContainerStats *stats_of_container(struct container *c, struct arena *a);

/* Adds what the writable layers of all containers take. A layer is looked at again after ten
 * seconds; *oldest_ns becomes the time of the oldest look, unless it is older already. */
void stats_add_writable_layers(struct node *n, struct disk_usage *sum, int64_t *oldest_ns);

/* True when it has a cgroup, so that it has more than attributes. */
bool stats_has_usage(const Runtime__V1__ContainerStats *stats);

/* ERROR_UNAVAILABLE when the pod is not ready. */
MUST_CHECK Runtime__V1__PodSandboxStats *stats_of_sandbox(struct sandbox *s, struct arena *a,
                                                          struct error *err);
