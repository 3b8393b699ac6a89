// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/* log_stamp: a moment as CRI logs write it, RFC 3339 in local time with up to nine digits of
 * fraction and no trailing zeros, such as 2026-03-01T10:00:00.25+01:00. One thread. */
enum { LOG_STAMP_SIZE = 48 };

/* Returns the length. What changes once a second is computed once a second; the zone file is
 * looked at once a minute. */
size_t log_stamp_format(char out[static LOG_STAMP_SIZE], int64_t now_ns);
