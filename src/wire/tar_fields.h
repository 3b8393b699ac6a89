// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "wire/tar.h"
#include "wire/tar_header.h"
#include "wire/tar_pax.h"

/* tar_fields: what a header and the extensions in front of it say about an entry together.
 *
 * Memory of the caller; one thread at a time. */
struct tar_fields {
    struct tar_pax pax;
    char *gnu_path; /* NULL: none */
    char *gnu_link;
    char path[TAR_PATH_MAX + 1];
    char link[TAR_PATH_MAX + 1];
};

void tar_fields_fini(struct tar_fields *f);

/* Forgets the extensions: they are for one entry. */
void tar_fields_clear(struct tar_fields *f);

/* Sets all of out but its size; its strings are those in f. */
MUST_CHECK int tar_fields_merge(struct tar_fields *f, const struct tar_header *h,
                                struct tar_entry *out, struct error *err);
