// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <task.pb-c.h>

#include "base/arena.h"
#include "pod/container.h"

/* container_mounts: what the shim mounts before the OCI runtime runs: the root file system and, in
 * a pod with a user namespace, the volumes that are to have its ids, each at a place of its own in
 * the bundle, which the specification names as the source. So it depends on no OCI runtime. */

/* Adds them to the request; memory of the arena. Any thread. */
void container_mounts_add(struct arena *a, const struct container *c,
                          Containerd__Task__V3__CreateTaskRequest *request);
