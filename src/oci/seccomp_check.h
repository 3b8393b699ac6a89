// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"

/* seccomp_check: whether a profile that somebody wrote says what he meant. OCI runtimes pass over
 * what they do not understand, some of them all of it, and a filter would be missing that nobody
 * misses. Any thread. */

/* A profile as the OCI runtime specification has it; other members, such as comments, may be there.
 * ERROR_INVALID names the member and what it has. */
MUST_CHECK int seccomp_check(struct json_object *profile, struct error *err);
