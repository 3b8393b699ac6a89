// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* file: whole files and folders of ours, by path.
 *
 * dirfd may be AT_FDCWD. For paths inside a folder that somebody else fills, use path_open_in().
 * Any thread. */

/* Reads a file of at most out->max bytes and appends it to out. It may wait, if it is a pipe.
 * ERROR_NOT_FOUND, ERROR_EXHAUSTED when it is longer. */
MUST_CHECK int file_load(int dirfd, const char *path, struct buf *out, struct error *err);

/* The same for a path that a client names: what is no regular file is not read. ERROR_INVALID. */
MUST_CHECK int file_load_regular(int dirfd, const char *path, struct buf *out, struct error *err);

/* Replaces the file whole: readers see the old or the new contents. Nothing is synced. */
MUST_CHECK int file_store(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                          struct error *err);

/* Like file_store, and on disk before it returns: the bytes before the name, the name before 0. */
MUST_CHECK int file_store_durable(int dirfd, const char *path, const void *data, size_t len,
                                  mode_t mode, struct error *err);

/* mkdir -p. Folders that exist keep their mode. */
MUST_CHECK int file_make_dirs(const char *path, mode_t mode, struct error *err);

/* Tells the file system that the trees in a folder have nothing in common, so that each gets a
 * place of its own on the disk. A hint: nothing happens where there is no such thing. */
void file_scatter(const char *folder);

/* rm -rf without following links or crossing into other mounts; a missing path is fine. */
MUST_CHECK int file_remove_tree(int dirfd, const char *path, struct error *err);

bool file_exists(const char *path);
