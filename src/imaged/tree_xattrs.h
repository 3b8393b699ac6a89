// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "wire/tar.h"

/* tree_xattrs: the extended attributes of one file that an archive of it should have, sorted by
 * name: not the host's own ("trusted.", "user.overlay.", SELinux labels). Memory of the caller,
 * zero-initialised. */
struct tree_xattrs {
    struct tar_xattr *items;
    size_t len;
    bool is_opaque; /* a folder that hides the ones below it */
    char *names;    /* what items point into */
    struct buf values;
};

void tree_xattrs_fini(struct tree_xattrs *x);

/* Of an open file, or, when path is not NULL, of what is there, links not followed. */
MUST_CHECK int tree_xattrs_load(struct tree_xattrs *x, int fd, const char *path, struct error *err);
