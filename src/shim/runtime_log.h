// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* runtime_log: what the OCI runtime says in its log, --log-format json: an object a line, with
 * level and msg. Text in, text out. */

/* The msg of the last line with level error or fatal, cut to size; false when there is none.
 * Lines that are no JSON are passed over. */
bool runtime_log_last_error(const char *text, size_t len, char *out, size_t size);
