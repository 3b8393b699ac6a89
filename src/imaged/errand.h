// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "image/descriptor.h"
#include "imaged/part.h"
#include "imaged/unpack.h"

/* errand: what the process that unpacks has the one with the network do (fetcher.h).
 *
 * A request is one message on the socket between them: JSON, with a file for the bytes and a pipe
 * for reports. A report is a struct errand_report with len bytes of JSON behind it. Who unpacks
 * believes nothing of what comes back: manifests and configurations are hashed here, layers where
 * they are unpacked. Any thread, any number of errands at once. */
enum errand_kind { ERRAND_RESOLVE, ERRAND_MANIFEST, ERRAND_BLOB };

enum errand_state {
    ERRAND_MOVED = 1, /* received bytes are in the file */
    ERRAND_DONE, /* ERRAND_RESOLVE: digest, media_type, size; in the file is the body or nothing */
    ERRAND_FAILED, /* code, message, unreachable: what registry.h has as errnum */
};

struct errand_report {
    uint32_t state;
    uint32_t len;
    int64_t received;
};

enum { ERRAND_REQUEST_MAX = 128 * 1024, ERRAND_REPORT_MAX = 8 * 1024 };

/* What the name of this pull points to; body stays empty when it has not been fetched yet. */
MUST_CHECK int errand_resolve(int socket, struct descriptor *out, struct buf *body,
                              struct error *err);

/* Appends a manifest, index or configuration to out; its digest is verified. */
MUST_CHECK int errand_load(int socket, const struct descriptor *d, struct buf *out,
                           struct error *err);

/* Gives a blob to write() as it comes into the part; what the part had already is used when it
 * turns out to be right. */
MUST_CHECK int errand_fetch(int socket, const struct descriptor *d, struct part *part,
                            unpack_write *write, void *sink, struct error *err);
