// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "os/deadline.h"

/* image_worker: one run of berth-image, which reads what strangers send.
 *
 * The protocol is docs/image-protocol.md. Any thread; blocks until the run has ended. */
struct image_worker {
    const char *program;
    struct json_object *job; /* borrowed */
    /* Called for each event other than "error", on the caller's thread; -1 ends the run. */
    int (*each)(void *data, struct json_object *event, struct error *err);
    void *data;
    int output; /* becomes its descriptor 3; 0: none */
};

/* Fails with the code and the words of berth-image's "error" event. */
MUST_CHECK int image_worker_run(const struct image_worker *w, const struct deadline *by,
                                struct error *err);
