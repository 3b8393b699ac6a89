// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>

#include "image/descriptor.h"
#include "imaged/errand.h"

/* errand_message: what the two processes of a pull tell each other (errand.h), to and from JSON.
 *
 * Neither believes the other: both read what strangers sent. Memory of the caller,
 * zero-initialised; any thread. */
struct errand_request {
    enum errand_kind kind;
    struct descriptor descriptor; /* but for ERRAND_RESOLVE */
    int64_t kept;                 /* bytes of it that are in the file already */
};

void errand_request_fini(struct errand_request *r);

/* d may be NULL for ERRAND_RESOLVE. */
struct json_object *errand_request_encode(enum errand_kind kind, const struct descriptor *d,
                                          int64_t kept);
MUST_CHECK int errand_request_decode(const char *text, size_t len, struct errand_request *out,
                                     struct error *err);

/* Whether a report may follow in an errand about so many bytes; size -1: not known. */
MUST_CHECK int errand_report_check(const struct errand_report *report, int64_t size,
                                   struct error *err);

/* What stands behind ERRAND_FAILED, and back. */
struct json_object *errand_failure_encode(const struct error *why);
void errand_failure_decode(struct json_object *from, struct error *out);
