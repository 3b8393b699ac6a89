// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* outcome: what of an error clients see as gRPC status.
 *
 * Clients act on NOT_FOUND and a few others, so these are only for what we said on purpose: the
 * errno of some system call underneath is UNKNOWN. Any thread. */

/* Returns result, with the code in err made fit for clients when it is -1. */
int outcome_of(int result, struct error *err);
