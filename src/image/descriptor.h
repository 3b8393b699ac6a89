// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/digest.h"
#include "image/platform.h"

/* descriptor: what a manifest says about a blob: its type, digest and size.
 *
 * Memory of the caller, zero-initialised; one thread at a time, many may read. */
struct descriptor {
    char *media_type; /* never NULL once parsed */
    char digest[DIGEST_SIZE];
    int64_t size;
    bool has_platform;
    struct platform platform;
    char *artifact_type;             /* or NULL */
    struct strv urls;                /* http and https only: where a foreign layer is */
    struct json_object *annotations; /* strings by name, or NULL */
    char *data; /* the blob itself, size bytes, not verified; NULL: to be fetched */
};

enum { DESCRIPTOR_MEDIA_TYPE_MAX = 255, DESCRIPTOR_URLS_MAX = 16, DESCRIPTOR_URL_MAX = 4096 };

void descriptor_fini(struct descriptor *d);
void descriptor_set(struct descriptor *d, const char *media_type, const char *digest, int64_t size);
void descriptor_copy(struct descriptor *out, const struct descriptor *from);

/* Out of a manifest's JSON. ERROR_INVALID when it is no descriptor or its digest is not valid. */
MUST_CHECK int descriptor_decode(struct json_object *json, struct descriptor *out,
                                 struct error *err);

/* The annotation, or NULL. */
const char *descriptor_annotation(const struct descriptor *d, const char *name);
