// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"
#include "image/digest.h"
#include "image/platform.h"

/* image_config: what an image's configuration says to who unpacks it (OCI image specification,
 * config.md). Memory of the caller, zero-initialised; one thread. */
struct image_config {
    struct json_object *json; /* all of it, an object */
    struct platform platform;
    char (*diff_ids)[DIGEST_SIZE]; /* of the layers, lowest first */
    size_t n_layers;               /* at most MANIFEST_LAYERS_MAX */
};

/* The caller bounds len. ERROR_INVALID for what is no configuration. */
MUST_CHECK int image_config_parse(const char *text, size_t len, struct image_config *out,
                                  struct error *err);
void image_config_fini(struct image_config *c);
