// SPDX-License-Identifier: Apache-2.0
#include "pod/stage.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

enum { LINE_MAX_BYTES = 512, NS_PER_US = 1000 };

struct stage stage_begin(void)
{
    int64_t now = clock_monotonic_ns();

    return (struct stage){.begun_ns = now, .last_ns = now};
}

int stage_end(struct stage *t, const char *name, int rc)
{
    int64_t now = clock_monotonic_ns();

    if (t->n < STAGE_MAX) {
        t->passed[t->n].name = name;
        t->passed[t->n++].took_ns = now - t->last_ns;
    }
    t->last_ns = now;
    return rc;
}

void stage_log(const struct stage *t, const char *what, const char *id)
{
    char line[LINE_MAX_BYTES] = "";
    size_t len = 0;

    if (!log_is_on(LOG_DEBUG))
        return;
    for (size_t i = 0; i < t->n && len < sizeof line; i++)
        len += (size_t)snprintf(line + len, sizeof line - len, " %s=%" PRId64, t->passed[i].name,
                                t->passed[i].took_ns / NS_PER_US);
    log_line(LOG_DEBUG, "stages of %s %s:%s total=%" PRId64, what, id, line,
             (t->last_ns - t->begun_ns) / NS_PER_US);
}
