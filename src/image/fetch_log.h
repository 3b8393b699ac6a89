// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/map.h"
#include "image/image_store.h"

/* fetch_log: how a pull or import goes, for the log: a line now and then while it takes long, and
 * one when it is done. Memory of the caller; one thread. */
enum { FETCH_LOG_INTERVAL_S = 30 };

struct fetch_log {
    const char *verb; /* "pull" or "import" */
    const char *name;
    int64_t began_ns;
    int64_t said_ns;
    struct map layers; /* digest → struct fetch_log_layer */
    uint64_t done;     /* of all layers */
    uint64_t total;
};

/* The texts are borrowed. */
void fetch_log_init(struct fetch_log *l, const char *verb, const char *name);
void fetch_log_fini(struct fetch_log *l);

void fetch_log_progress(struct fetch_log *l, const struct image_progress *p);

/* It is on this node now. */
void fetch_log_done(const struct fetch_log *l, const struct image *i);
