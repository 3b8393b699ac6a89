// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"
#include "image/descriptor.h"
#include "imaged/archive.h"

/* docker_save: what "docker save" wrote before it wrote OCI layouts: manifest.json names the files
 * of each image. It has no manifest as registries know it, so one is made here.
 *
 * One thread at a time while it is described; then many may read. */
#define DOCKER_SAVE_LIST "manifest.json"

struct docker_save {
    struct strv names;        /* normalised */
    struct descriptor target; /* of the manifest that was made */
    struct buf manifest;
    struct strv digests; /* of the blobs, and the names of their files in the archive */
    struct strv files;
};

void docker_save_fini(struct docker_save *d);

/* The list in the archive: an array with an item for each image. NULL on failure. */
MUST_CHECK struct json_object *docker_save_list(const struct archive *a, struct error *err);

/* Describes one item of it; d is zero-initialised. Compressed layers are read for their digests. */
MUST_CHECK int docker_save_describe(struct docker_save *d, const struct archive *a,
                                    struct json_object *item, struct error *err);

/* The file that a blob is, or NULL. */
const char *docker_save_file(const struct docker_save *d, const char *digest);
