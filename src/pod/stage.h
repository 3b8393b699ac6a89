// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/* stage: where the time of one request goes, told in one line at log level debug, which bench/trace
 * makes a table of. On the stack of the thread that handles the request. */
enum { STAGE_MAX = 12 };

struct stage {
    int64_t begun_ns;
    int64_t last_ns;
    size_t n;
    struct {
        const char *name;
        int64_t took_ns;
    } passed[STAGE_MAX];
};

struct stage stage_begin(void);

/* What took the time since the last call is called name, a literal. Returns rc, so that a step can
 * be wrapped where it is called: if (stage_end(t, "record", record_insert(...)) < 0). */
int stage_end(struct stage *t, const char *name, int rc);

/* "stages of <what> <id>: <name>=<microseconds> ... total=<microseconds>" */
void stage_log(const struct stage *t, const char *what, const char *id);
