// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "image/descriptor.h"
#include "image/platform.h"
#include "imaged/unpack.h"

/* assembly: from what a name points to, to an image on the disk and the event that says so.
 *
 * Where manifests and layers come from, a registry or a file, is the source's business. Memory of
 * the caller; assembly_run() blocks. */
struct assembly_source {
    void *data;
    /* Appends a manifest, index or configuration to out, its digest verified. */
    int (*load)(void *data, const struct descriptor *d, struct buf *out, struct error *err);
    /* As in struct unpack: on several threads at once. */
    int (*fetch)(void *data, const struct descriptor *blob, unpack_write *write, void *sink,
                 struct error *err);
};

struct assembly {
    const char *root;
    struct platform platform;
    size_t concurrency;
    struct assembly_source source;
    const struct strv *names; /* the image will have */
};

/* body: what target points to, when it is known already; else it is empty and gets loaded.
 * ERROR_INVALID when this is no image, ERROR_NOT_FOUND when there is none for the platform. */
MUST_CHECK int assembly_run(const struct assembly *a, const struct descriptor *target,
                            struct buf *body, struct error *err);
