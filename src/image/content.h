// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/own.h"
#include "image/image_index.h"
#include "os/disk_usage.h"

/* content: what berth-image keeps of images beside their layers: manifests, indexes and
 * configurations, and the parts of layers that were not fetched to their end.
 *
 * On disk it is <root>/content. berth-image stores a blob before it tells of the image, so none is
 * removed while anything is fetched. Any thread. */
struct content;

struct content *content_new(const char *root);
void content_free(struct content *c);
DEFINE_AUTO(content)

/* Around each run of berth-image that stores something; both on the same thread. */
void content_begin_fetch(struct content *c);
void content_end_fetch(struct content *c);

/* Removes the blobs that are no id, manifest or target of an image. Does nothing while somebody
 * fetches: who comes to the end of that calls it again. */
void content_collect(struct content *c, struct image_index *images);

/* What all of it takes on disk. It is looked at when it has changed, and else after CONTENT_AGE_S;
 * *out_at_ns says when. */
enum { CONTENT_AGE_S = 60 };
void content_usage(struct content *c, struct disk_usage *out, int64_t *out_at_ns);
