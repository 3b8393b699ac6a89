// SPDX-License-Identifier: Apache-2.0
#include "shim/log_stamp.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

static struct {
    time_t second;
    time_t minute;
    char date[24]; /* 2026-03-01T10:00:00 */
    size_t date_len;
    char zone[8]; /* Z or +01:00 */
    size_t zone_len;
} cached = {.second = -1, .minute = -1};

static void refresh(time_t second)
{
    struct tm tm = {0};
    long offset;

    if (second / 60 != cached.minute) {
        cached.minute = second / 60;
        tzset();
    }
    localtime_r(&second, &tm);
    offset = tm.tm_gmtoff / 60;
    cached.second = second;
    cached.date_len = strftime(cached.date, sizeof cached.date, "%Y-%m-%dT%H:%M:%S", &tm);
    if (offset == 0)
        cached.zone_len = (size_t)snprintf(cached.zone, sizeof cached.zone, "Z");
    else
        cached.zone_len =
            (size_t)snprintf(cached.zone, sizeof cached.zone, "%c%02u:%02u", offset < 0 ? '-' : '+',
                             (unsigned)(offset < 0 ? -offset : offset) / 60 % 100,
                             (unsigned)(offset < 0 ? -offset : offset) % 60);
}

size_t log_stamp_format(char out[static LOG_STAMP_SIZE], int64_t now_ns)
{
    time_t second = now_ns / CLOCK_NS_PER_S;
    unsigned fraction = (unsigned)(now_ns % CLOCK_NS_PER_S), digits = 9;
    size_t len;

    if (second != cached.second)
        refresh(second);
    memcpy(out, cached.date, cached.date_len);
    len = cached.date_len;
    if (fraction) {
        for (; fraction % 10 == 0; digits--)
            fraction /= 10;
        out[len] = '.';
        for (unsigned i = digits; i > 0; i--, fraction /= 10)
            out[len + i] = (char)('0' + fraction % 10);
        len += 1 + digits;
    }
    memcpy(out + len, cached.zone, cached.zone_len);
    len += cached.zone_len;
    out[len] = '\0';
    return len;
}
