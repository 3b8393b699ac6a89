// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "image/image_store.h"

/* image_export: writes an image of the store as an archive, which berth-image makes. Any thread. */

/* By name or id. It is written to output, a file or a pipe; the image's name there is the one it
 * was asked for by, or its first tag. *out_id is the id it has in the archive, the caller's to
 * free. */
MUST_CHECK int image_export(struct image_store *s, const struct image_request *request, int output,
                            char **out_id, struct error *err);
