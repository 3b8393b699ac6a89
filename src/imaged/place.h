// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <limits.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

/* place: where below a root folder an archive's entry belongs.
 *
 * The archive is a stranger's: ".." and absolute names stop at the root, and so do the symbolic
 * links that earlier entries planted, because parents are resolved by the kernel with
 * RESOLVE_IN_ROOT. Leaves are the caller's, who uses *at() calls that do not follow links. Nobody
 * else changes the tree meanwhile. Memory of the caller; one thread at a time. */
enum { PLACE_IMPLIED_MAX = 256 * 1024, PLACE_LINKS_MAX = 40, PLACE_DEPTH_MAX = 256 };

struct place {
    int root; /* borrowed */
    size_t root_depth;
    int parent;            /* of the entry found last; -1: none */
    char path[PATH_MAX];   /* of that entry, cleaned; "" for the root itself */
    size_t parent_len;     /* how much of path is its parent's */
    const char *name;      /* in path; "" for the root itself */
    char cached[PATH_MAX]; /* the parent that is open */
    struct strv implied;   /* paths of parents that had to be made */
};

/* The root stays the caller's and open. */
void place_init(struct place *p, int root);
void place_fini(struct place *p);

/* Cleans path, makes missing parents with mode 0755 and sets parent, path and name. A whiteout in
 * the way becomes an opaque folder. */
MUST_CHECK int place_find(struct place *p, const char *path, struct error *err);

/* Like place_find() without making anything and without touching p: the parent is the caller's to
 * close. ERROR_NOT_FOUND. */
MUST_CHECK int place_open_parent(const struct place *p, const char *path,
                                 char out_name[static NAME_MAX + 1], struct error *err);

/* Opens a folder by a cleaned path, its last part not followed. */
MUST_CHECK int place_open_dir(int root, const char *path, struct error *err);

/* "/a/./b/../c/" becomes "a/c"; ".." at the root stays there. */
MUST_CHECK int place_clean(const char *path, char out[static PATH_MAX], struct error *err);

/* To be called when something was removed: parents are resolved anew. */
void place_forget(struct place *p);

/* Marks a folder as hiding what lower layers have at its place. */
MUST_CHECK int place_make_opaque(int dir, struct error *err);
