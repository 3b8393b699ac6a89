// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "image/image.h"

/* image_index: the images in memory, by id and by name.
 *
 * A name belongs to one image. Readers get references to immutable images; writers replace whole
 * images. Any thread: the lock inside is held for memory operations only. */
struct image_index;

struct image_index *image_index_new(void);
void image_index_free(struct image_index *x);

/* Puts an image in, or adds its names to the one with its id. Names that another image had move
 * over. */
void image_index_put(struct image_index *x, struct image *taken);

/* Takes an image out; NULL when there is none. The caller gets the index's reference. */
struct image *image_index_remove(struct image_index *x, const char *id);

/* By exact name; NULL. A reference for the caller, as from the next two. */
struct image *image_index_find_name(struct image_index *x, const char *name);

/* By the beginning of the id's hex digits: *out_count is how many begin so, and the image is given
 * when it is one. */
struct image *image_index_find_id(struct image_index *x, const char *hex, size_t *out_count);

struct image **image_index_list(struct image_index *x, size_t *out_count);
