// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* sandbox_calls: the system calls that a process of berth-image does, and no others
 * (os/call_filter.h).
 *
 * Another one ends the process after it wrote an "error" event that names the call on standard
 * output. Wants no_new_privs; holds for all threads. */
MUST_CHECK int sandbox_calls_enter(bool network, struct error *err);
