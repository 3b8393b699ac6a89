// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

/* program: the shim's, which BERTH_SHIM names, as berthd starts it: from a read-only mount. */

/* The shims to come are started by their path instead, where their file could be written to. */
extern bool program_is_unprotected;

/* For the child whose standard streams, listening socket and working directory are the shim's. */
_Noreturn void program_become(void);
