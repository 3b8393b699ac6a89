// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/arena.h"
#include "image/image.h"

/* image_message: an image as CRI's Image.
 *
 * The message points into the image, whose reference the arena keeps. Any thread. */
Runtime__V1__Image *image_message_of(struct image *i, struct arena *a);

/* The "info" of a verbose status: a JSON object. */
char *image_message_info(const struct image *i, struct arena *a);
