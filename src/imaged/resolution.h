// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/buf.h"
#include "image/descriptor.h"
#include "image/reference.h"
#include "imaged/endpoint.h"

/* resolution: what a reference points to, as one endpoint says it. Of one thread. */
struct resolution {
    struct descriptor descriptor;
    struct buf body; /* the manifest, when it had to be fetched */

    /* of a failure */
    enum http_fault fault;
    int status; /* 0: no answer */
};

/* By HEAD, and by GET when that does not tell all. kind is "manifests", or "blobs" for a digest
 * that is no manifest's. out is always to be finished. */
MUST_CHECK int resolution_ask(struct endpoint *e, const struct image_reference *reference,
                              const char *kind, bool last, struct resolution *out,
                              struct error *err);
void resolution_fini(struct resolution *r);

/* A body callback for a struct buf. */
MUST_CHECK int resolution_keep(void *data, const struct http_answer *answer, const void *bytes,
                               size_t len, struct error *err);
