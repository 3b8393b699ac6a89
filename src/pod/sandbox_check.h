// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/error.h"

/* sandbox_check: what a client may say of a pod, as far as it can be told before there is one. Any
 * thread. */

/* ERROR_UNKNOWN, as clients know it, names the field and the value. */
MUST_CHECK int sandbox_check(const Runtime__V1__PodSandboxConfig *config, struct error *err);
