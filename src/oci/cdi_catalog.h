// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"

/* cdi_catalog: which devices there are by name, from all files of all folders.
 *
 * A device in a later folder takes the place of one with the same name in an earlier folder; one
 * that is there twice in one folder cannot be used. No I/O. Filled by one thread; from then on it
 * does not change, is shared by reference count, and any thread may read. */
struct cdi_catalog;

struct cdi_device {
    struct json_object *file;  /* the whole tree, see cdi_spec.h; its containerEdits come first */
    struct json_object *edits; /* the containerEdits of the device */
    char *path;                /* of the file */
    char *conflict;            /* the path of another file of that folder which has it too; NULL */
    size_t folder;
};

struct cdi_catalog *cdi_catalog_new(void);
struct cdi_catalog *cdi_catalog_ref(struct cdi_catalog *c);
void cdi_catalog_free(struct cdi_catalog *c); /* drops a reference */
DEFINE_AUTO(cdi_catalog)

/* Folders are numbered from the first, and added in that order. */
void cdi_catalog_add(struct cdi_catalog *c, struct json_object *taken_file, const char *path,
                     size_t folder);

/* By its full name, borrowed; NULL when there is none. */
const struct cdi_device *cdi_catalog_find(const struct cdi_catalog *c, const char *name);
