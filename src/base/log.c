// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A pipe that poll() says is writable has room for PIPE_BUF, and so for a line. */
enum { LINE_MAX_BYTES = 2048, PATIENCE_MS = 20 };

static _Atomic int current_level = LOG_INFO;
static _Atomic unsigned dropped;

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

/* Waits a moment, but not for every line when lines are dropped already. */
static bool has_room(void)
{
    struct pollfd reader = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&reader, 1, dropped ? 0 : PATIENCE_MS) != 0;
}

static void tell_dropped(void)
{
    char line[128];
    unsigned n = atomic_exchange(&dropped, 0);
    size_t len;

    if (n == 0)
        return;
    len = format_head(line, sizeof line, LOG_WARN);
    len += (size_t)snprintf(line + len, sizeof line - len, "%u lines of the log were lost\n", n);
    if (write(STDERR_FILENO, line, len) < 0)
        dropped += n;
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
    if (!has_room()) {
        dropped++;
        return;
    }
    tell_dropped();
    if (write(STDERR_FILENO, line, len) < 0)
        return; /* there is nobody left to tell */
}
