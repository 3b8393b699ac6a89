// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "image/descriptor.h"
#include "image/media_type.h"
#include "image/platform.h"

/* manifest: the parts of one image, or an index of manifests for several platforms.
 *
 * Bytes that could be read as both are refused (CVE-2021-41190), and so is schema 1. Owned by who
 * parsed it and not changed afterwards, so any thread may read it. */
enum {
    MANIFEST_BYTES_MAX = 4 << 20,
    MANIFEST_LAYERS_MAX = 500, /* as many as overlayfs stacks */
    MANIFEST_ENTRIES_MAX = 4096,
    MANIFEST_DEPTH_MAX = 8, /* an index within an index: for who walks them */
};

struct manifest {
    enum media_type kind;            /* MEDIA_TYPE_MANIFEST or MEDIA_TYPE_INDEX */
    char *media_type;                /* as stated, else as guessed from the contents */
    char *artifact_type;             /* or NULL */
    struct json_object *annotations; /* strings by name, or NULL */

    /* of a manifest */
    struct descriptor config;
    struct descriptor *layers;
    size_t layers_len;

    /* of an index */
    struct descriptor *entries;
    size_t entries_len;
};

/* media_type is what the descriptor or Content-Type said; it must not contradict the contents.
 * NULL or a type unknown to us says nothing. */
MUST_CHECK struct manifest *manifest_parse(const char *text, size_t len, const char *media_type,
                                           struct error *err);
void manifest_free(struct manifest *m);
DEFINE_AUTO(manifest)

/* The best entry of an index for the host, borrowed. One that states no platform comes after all
 * that do: then the config has to be asked. ERROR_NOT_FOUND names the platforms there are. */
MUST_CHECK const struct descriptor *manifest_select(const struct manifest *index,
                                                    const struct platform *host, struct error *err);
