// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* sysctl: one kernel parameter of a pod, by its name as Kubernetes writes it: parts separated by
 * dots, a slash standing for a dot inside a part. */
struct sysctl_scope {
    bool has_net; /* the pod has a network namespace of its own */
    bool has_ipc;
};

/* Only what belongs to a namespace of the pod's own may be set: net.*, and kernel.shm*,
 * kernel.msg*, kernel.sem, fs.mqueue.*. ERROR_INVALID names the parameter and the reason. */
MUST_CHECK int sysctl_check(const char *name, const struct sysctl_scope *scope, struct error *err);

/* Writes it; to be called from within the namespaces. */
MUST_CHECK int sysctl_write(const char *name, const char *value, struct error *err);
