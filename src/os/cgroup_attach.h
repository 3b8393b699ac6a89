// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdatomic.h>

#include "base/error.h"
#include "os/pool.h"

/* cgroup_attach: moving a process into a cgroup, without the wait that comes before it.
 *
 * The kernel moves processes under a lock that every fork and exit takes as well, at no cost for
 * those. Who comes to move one after a while in which nobody did pays for that: it waits until all
 * processors have passed a grace period, 5 to 20 ms. Who comes soon after does not. An OCI runtime
 * moves each process it starts, some milliseconds after it was started itself; so we come first,
 * beside it, and move ourselves to where we are.
 *
 * Owned by the node; any thread. */
struct cgroup_attach {
    struct pool *pool;
    atomic_bool is_under_way;
};

/* A process will be moved soon. Returns at once; when it does not work, that one waits. */
void cgroup_attach_hasten(struct cgroup_attach *a);

/* Moves this process to the cgroup in which it is. */
MUST_CHECK int cgroup_attach_stay(struct error *err);
