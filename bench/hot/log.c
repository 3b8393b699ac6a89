// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <string.h>

#include "base/own.h"
#include "hot.h"
#include "shim/log_framer.h"

enum { BYTES = 1000 * 1000, LINE = 100, READ_MAX = 64 * 1024 };

struct output {
    struct log_framer framer;
    struct log_batch batch;
    char *bytes;
    int records;
};

static void frame(void *data)
{
    struct output *o = data;

    for (size_t at = 0; at < BYTES;) {
        size_t left = BYTES - at < READ_MAX ? BYTES - at : READ_MAX;

        log_framer_begin(&o->batch, "stdout", INT64_C(1700000000123456789));
        while (left > 0) {
            size_t used = log_framer_push(&o->framer, &o->batch, o->bytes + at, left);

            o->records += o->batch.n;
            at += used;
            left -= used;
        }
    }
}

void hot_log(void)
{
    struct output *o = xcalloc(1, sizeof *o);

    o->bytes = xmalloc(BYTES);
    memset(o->bytes, 'x', BYTES);
    for (size_t at = LINE - 1; at < BYTES; at += LINE)
        o->bytes[at] = '\n';
    log_framer_init(&o->framer, 16 * 1024);
    frame(o);
    hot_measure(frame, o);
    assert(o->records > 0);
    log_framer_fini(&o->framer);
    free(o->bytes);
    free(o);
}
