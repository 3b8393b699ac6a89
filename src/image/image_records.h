// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "image/image.h"
#include "store/database.h"

/* image_records: images in the database's tables images, image_names and image_layers.
 * Any thread. */

/* Stores the image and moves its names to it; durable on return. One of that id may be there: its
 * contents are the same, but the manifest that told of them, and what was compressed how, need not
 * be. The newer one counts, as in memory; the names of the older one stay. */
MUST_CHECK int image_records_store(struct database *db, const struct image *i, struct error *err);

/* Durable on return. */
MUST_CHECK int image_records_remove(struct database *db, const char *id, struct error *err);

/* Calls each with every image, which it owns. */
MUST_CHECK int image_records_load(struct database *db,
                                  void (*each)(void *data, struct image *taken), void *data,
                                  struct error *err);
