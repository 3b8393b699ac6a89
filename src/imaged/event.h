// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdint.h>

#include "base/error.h"

/* event: the lines of JSON that tell berthd how the job goes; docs/image-protocol.md has them all.
 *
 * They go to the descriptor set first, each as a whole. When nobody reads them, the run is told to
 * stop. Any thread. */
enum { EVENT_INTERVAL_MS = 100 };

/* A layer's progress, which the layer's thread owns. */
struct event_layer {
    const char *digest;
    int64_t total;
    int64_t sent_ns;
};

/* Before anything else; -1 throws events away. */
void event_open(int fd);

/* state is waiting, downloading, unpacking, done or exists. Repeated within EVENT_INTERVAL_MS, the
 * state "downloading" is left out. */
void event_progress(struct event_layer *l, const char *state, int64_t done);

/* Any other event; the object is given away. */
void event_send(struct json_object *taken);

void event_error(const struct error *err);
