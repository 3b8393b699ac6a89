// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "wire/tar.h"
#include "wire/tar_sparse.h"

/* tar_pax: the records of one pax header, which overrule the next entry's header block.
 *
 * The strings point into the text it was parsed from. One thread at a time. */
struct tar_pax {
    const char *path; /* NULL when there is no such record, as for all below */
    const char *link;
    const char *sparse_path;
    int64_t size; /* -1: no such record, as for the next two */
    int64_t uid;
    int64_t gid;
    struct timespec modified; /* has_modified */
    struct timespec accessed;
    bool has_modified;
    bool has_accessed;
    int64_t sparse_size; /* -1 */
    bool sparse;         /* it describes a sparse file */
    bool sparse_inline;  /* version 1.0: the map is in front of the data */
    bool in_pair;        /* an offset came and waits for its length */
    uint64_t pair_offset;
    struct tar_xattr *xattrs;
    size_t n_xattrs;
};

void tar_pax_fini(struct tar_pax *p);
void tar_pax_clear(struct tar_pax *p);

/* Parses text of len bytes, which has a NUL behind it and which it changes. Sparse maps go to
 * sparse. */
MUST_CHECK int tar_pax_parse(struct tar_pax *p, struct tar_sparse *sparse, char *text, size_t len,
                             struct error *err);
