// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* log: one line, one write(2), to standard error.
 *
 * Nobody waits for a reader that does not read: lines for which there is no room are dropped, and
 * how many is said when there is room again.
 *
 * Lines are "<time> <level> <text>"; under journald (JOURNAL_STREAM is set) they begin with the
 * priority "<N>" instead, and the journal adds the time. Only the places that end a request log;
 * library code returns errors. Any thread. */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level level);

/* error, warn, info or debug. */
MUST_CHECK int log_parse_level(const char *text, enum log_level *out, struct error *err);

bool log_is_on(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
    do {                                                                                           \
        if (log_is_on(LOG_DEBUG))                                                                  \
            log_line(LOG_DEBUG, __VA_ARGS__);                                                      \
    } while (0)
