// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"

/* process: what /proc tells of processes. Of one that has ended there is nothing and all is 0. All
 * processes of the machine are looked at, so the runtime under test has to be alone in its PID
 * namespace. Any thread. */

MUST_CHECK int process_load(int pid, const char *file, struct buf *out, struct error *err);

/* What stands behind "key:" in that file, in KiB. */
double process_kib(int pid, const char *file, const char *key);

/* comm is cut after 15 characters. */
bool process_is_one_of(int pid, const char *const names[], size_t n);

/* Calls see() with each. */
MUST_CHECK int process_each(void (*see)(void *data, int pid), void *data, struct error *err);
