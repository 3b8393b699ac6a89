// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "image/descriptor.h"
#include "image/usage.h"

/* unpack: all layers of an image onto the disk, several at once, those that are there left out.
 *
 * The layers get their names from the lowest up, so that a layer on disk never lacks one below.
 * Memory of the caller; unpack_run() blocks and starts its own threads. */
enum { UNPACK_CONCURRENCY_MAX = 16 };

struct unpack_layer {
    const struct descriptor *blob;
    char diff_id[DIGEST_SIZE];
    char chain_id[DIGEST_SIZE];
    bool existed;
    bool compressed; /* unless it existed */
    struct usage usage;
};

/* Where the bytes of a layer go, in order. */
typedef int unpack_write(void *sink, const void *data, size_t len, struct error *err);

struct unpack {
    const char *root;
    struct unpack_layer *layers;
    size_t len;
    size_t concurrency;
    /* Gives all bytes of the layer's blob to write(); called on several threads at once. */
    int (*fetch)(void *source, const struct descriptor *blob, unpack_write *write, void *sink,
                 struct error *err);
    void *source;
};

/* Fills in chain_id from the diff ids. */
void unpack_chain(struct unpack_layer *layers, size_t len);

/* Returns when all are published and the first failure otherwise; what was published stays. */
MUST_CHECK int unpack_run(struct unpack *u, struct error *err);
