// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "image/image.h"

/* image_repair: what becomes of recorded images whose layers are not on disk any more, or not as
 * they were: they are forgotten and fetched again. An image is whole or it is not listed.
 *
 * A power cut takes away what was on its way to the disk. So a close look compares all names, sizes
 * and times, and reads the files of those layers that were young when the power went: what is older
 * was written long before. Manifests and configurations are read again.
 *
 * Owned by the image store. A close look at all layers takes its time, so it is done on a thread,
 * and who wants to know an image waits for it. */
struct image_repair;

/* How long a disk may take, when it says that it has something and has not. */
enum { IMAGE_REPAIR_YOUNG_S = 10 * 60 };

struct image_repair_options {
    const char *root;
    bool closely;        /* the node went down while berthd was running */
    int64_t last_sign_s; /* closely: it was up then; 0: not known */
    /* On whatever thread looks; none is called after image_repair_free(). */
    void (*keep)(void *data, struct image *taken);
    void (*forget)(void *data, const struct image *i);
    void (*remove_layer)(void *data, const char *chain_id);
    void (*sifted)(void *data); /* each was kept or forgotten */
    void (*fetch_again)(void *data, const struct image *i);
    void *data;
};

struct image_repair *image_repair_new(const struct image_repair_options *options);

/* Before image_repair_start(). */
void image_repair_add(struct image_repair *r, struct image *taken);

/* Looks at all of them, or starts to. */
MUST_CHECK int image_repair_start(struct image_repair *r, struct error *err);

/* Until each of them was kept or forgotten; any thread. Those that are fetched again come later. */
void image_repair_wait(struct image_repair *r);

/* Waits for the thread: fetch_again() must end soon. */
void image_repair_free(struct image_repair *r);
