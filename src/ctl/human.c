// SPDX-License-Identifier: Apache-2.0
#include "ctl/human.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { ID_DIGITS = 12 };

const char *human_bytes(char out[static HUMAN_SIZE], uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    uint64_t unit_size = 1000;
    size_t unit = 0;

    if (bytes < 1000) {
        snprintf(out, HUMAN_SIZE, "%" PRIu64 " B", bytes);
        return out;
    }
    /* 999.95 would be printed as 1000.0. */
    while (bytes / (unit_size / 20) >= 19999 && unit + 1 < sizeof units / sizeof *units) {
        unit_size *= 1000;
        unit++;
    }
    snprintf(out, HUMAN_SIZE, "%.1f %s", (double)bytes / (double)unit_size, units[unit]);
    return out;
}

const char *human_age(char out[static HUMAN_SIZE], int64_t then_ns, int64_t now_ns)
{
    static const struct {
        const char *name;
        int64_t seconds;
    } units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
    int64_t seconds = (now_ns - then_ns) / CLOCK_NS_PER_S;

    snprintf(out, HUMAN_SIZE, "%s", then_ns ? "now" : "-");
    for (size_t i = 0; then_ns && i < sizeof units / sizeof *units; i++) {
        int64_t count = seconds / units[i].seconds;

        if (count > 0) {
            snprintf(out, HUMAN_SIZE, "%" PRId64 " %s%s ago", count, units[i].name,
                     count == 1 ? "" : "s");
            break;
        }
    }
    return out;
}

const char *human_id(char out[static HUMAN_SIZE], const char *id)
{
    const char *colon = strchr(id, ':');

    snprintf(out, HUMAN_SIZE, "%.*s", ID_DIGITS, colon ? colon + 1 : id);
    return out;
}
