// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/error.h"

/* sandbox_check: what a client may say of a pod, as far as it can be told before there is one. Any
 * thread. */

/* ERROR_UNKNOWN, as clients know it, names the field and the value. */
MUST_CHECK int sandbox_check(const Runtime__V1__PodSandboxConfig *config, struct error *err);

/* The runtime handler of a pod: the one that the request names or, for a pod that is annotated as
 * untrusted, "untrusted", which the operator then must have configured. Such a pod has nothing of
 * the node's. NULL with ERROR_UNKNOWN. Borrowed from the request, or a constant. */
MUST_CHECK const char *sandbox_check_handler(const Runtime__V1__RunPodSandboxRequest *request,
                                             struct error *err);
