// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/tar.h"

/* tar_sparse: which parts of a sparse file are in the archive, the rest being holes.
 *
 * Memory of the caller, zero-initialised; one thread at a time. */
struct tar_extent {
    uint64_t offset;
    uint64_t len;
};

struct tar_sparse {
    struct tar_extent *extents;
    size_t n;
    size_t cap;
    uint64_t numbers_wanted; /* of a map that comes as text; 0 until its first number */
    uint64_t numbers;        /* that came */
    uint64_t number;         /* the one that is coming */
    uint64_t pending_offset;
    size_t digits;
};

void tar_sparse_fini(struct tar_sparse *s);

/* Forgets the extents and keeps the memory. */
void tar_sparse_clear(struct tar_sparse *s);

MUST_CHECK int tar_sparse_add(struct tar_sparse *s, uint64_t offset, uint64_t len,
                              struct error *err);

/* The four or twenty-one extents of an old GNU header. */
MUST_CHECK int tar_sparse_add_fields(struct tar_sparse *s, const uint8_t *fields, size_t count,
                                     struct error *err);

/* One block of the map in front of the data, as pax sparse 1.0 has it: lines of numbers, the first
 * being how many pairs follow. Returns 1 when the map is complete, 0 when it goes on. */
MUST_CHECK int tar_sparse_add_text(struct tar_sparse *s, const uint8_t block[static TAR_BLOCK_SIZE],
                                   struct error *err);

/* "offset,len,offset,len": pax sparse 0.1. */
MUST_CHECK int tar_sparse_add_list(struct tar_sparse *s, const char *text, struct error *err);

/* In order, without overlap, inside the file, and together as long as what is stored. */
MUST_CHECK int tar_sparse_check(const struct tar_sparse *s, uint64_t size, uint64_t stored,
                                struct error *err);
