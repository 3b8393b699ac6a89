// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static _Atomic int current_level = LOG_INFO;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

void log_set_level(enum log_level level)
{
    current_level = (int)level;
}

int log_parse_level(const char *text, enum log_level *out, struct error *err)
{
    for (int i = 0; i <= LOG_DEBUG; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return error_set(err, ERROR_INVALID, "log level \"%s\" is none of error, warn, info, debug",
                     text);
}

bool log_is_on(enum log_level level)
{
    return (int)level <= current_level;
}

static size_t format_head(char *line, size_t size, enum log_level level)
{
    static const int priorities[] = {3, 4, 6, 7};
    struct timespec now;
    struct tm tm;
    size_t len;

    if (getenv("JOURNAL_STREAM"))
        return (size_t)snprintf(line, size, "<%d>", priorities[level]);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    len = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
    return len + (size_t)snprintf(line + len, size - len, ".%03ldZ %s ", now.tv_nsec / 1000000,
                                  level_names[level]);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char line[LINE_MAX_BYTES];
    size_t len;
    va_list args;
    int n;

    if (!log_is_on(level))
        return;
    len = format_head(line, sizeof line, level);
    va_start(args, fmt);
    n = vsnprintf(line + len, sizeof line - len - 1, fmt, args);
    va_end(args);
    if (n > 0)
        len += (size_t)n < sizeof line - len - 1 ? (size_t)n : sizeof line - len - 2;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* there is nobody left to tell */
}
