// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include "base/error.h"
#include "base/idmap.h"

/* userns: the user namespace of a pod. A process that was made with CLONE_NEWUSER waits until the
 * shim has written which ids it has; then it becomes its root. */

/* In the shim. */
MUST_CHECK int userns_write_maps(pid_t pid, const struct idmap *ids, struct error *err);

/* In the process. What the namespace's root may not see of the shim's memory it does not: it is
 * not dumpable afterwards. The signal for the death of the parent is forgotten. */
MUST_CHECK int userns_become_root(struct error *err);
