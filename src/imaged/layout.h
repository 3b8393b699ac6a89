// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"
#include "image/platform.h"

/* layout: images from a file or folder instead of a registry: an OCI image layout, or what "docker
 * save" writes, plain, in a tar archive, or in a compressed one. Blocks; reads the source only. */
enum { LAYOUT_IMAGES_MAX = 256 };

struct layout {
    const char *root;
    const char *path; /* of the file or folder */
    const char *name; /* "", or the name for the one image in it */
    struct platform platform;
    size_t concurrency;
};

/* Sends an image event for each image that is for the platform. ERROR_NOT_FOUND when there is none,
 * ERROR_INVALID when it is neither a layout nor a docker archive. */
MUST_CHECK int layout_import(const struct layout *l, struct error *err);
