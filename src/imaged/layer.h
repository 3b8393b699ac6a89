// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"
#include "base/strv.h"
#include "image/usage.h"

/* layer: one layer of an image on its way to the disk: compressed bytes in, files out.
 *
 * A second thread hashes and unpacks while the caller's downloads and inflates. Until it is
 * published the layer is <root>/layers/.new-<random>/fs; then it is <root>/layers/<hex of its
 * chain id>/, with "fs" and the file "size" (usage.h), and never changes. Nobody else
 * unpacks the same chain id meanwhile: <root>/layers/<hex>.lock is held. Owned by one thread at a
 * time. */
struct layer;

struct layer_spec {
    const char *root;
    const char *diff_id;  /* of the uncompressed archive */
    const char *chain_id; /* of it and all below it */
};

/* Makes <root>/layers and removes what dead runs left there. */
MUST_CHECK int layer_prepare(const char *root, struct error *err);

/* True when it is on disk already; what it uses then goes to out. */
bool layer_find(const struct layer_spec *spec, struct usage *out);

/* Waits for others who unpack it; afterwards layer_find() decides whether there is still something
 * to do. The strings are copied. ERROR_CANCELLED. */
MUST_CHECK struct layer *layer_new(const struct layer_spec *spec, struct error *err);

/* Removes what was not published. */
void layer_free(struct layer *l);
DEFINE_AUTO(layer)

/* Bytes as they come, compressed or not. */
MUST_CHECK int layer_write(struct layer *l, const void *data, size_t len, struct error *err);

/* There are no more: waits until all is unpacked. ERROR_PRECONDITION when the archive is not the
 * one that the diff id names. */
MUST_CHECK int layer_finish(struct layer *l, struct error *err);

/* Folders that no entry was about become what they are in the layers below it, which are finished
 * and settled: lowers are their folders, the lowest first. */
MUST_CHECK int layer_settle(struct layer *l, const struct strv *lowers, struct error *err);

/* Returns when all that was settled before is on disk. */
MUST_CHECK int layer_sync(const char *root, struct error *err);

/* Gives it its name, after layer_sync(), and when all below it have theirs. The name is on disk
 * after layer_sync_names(). */
MUST_CHECK int layer_publish(struct layer *l, struct error *err);

MUST_CHECK int layer_sync_names(const char *root, struct error *err);

/* Where the files of that layer are: now, and once it is published. The caller's to free. */
MUST_CHECK char *layer_files(const struct layer *l);
MUST_CHECK char *layer_final_files(const char *root, const char *chain_id);

/* Whether somebody waits until it is published. */
bool layer_is_awaited(const struct layer *l);

struct usage layer_usage(const struct layer *l);

/* True when the bytes that came were no plain archive. */
bool layer_is_compressed(const struct layer *l);
