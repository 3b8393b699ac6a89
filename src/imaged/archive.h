// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/own.h"

/* archive: files by their names, in a folder or in a tar file.
 *
 * A tar file is read once for where its files are; a compressed one is inflated to a file without
 * a name first. Symbolic links are followed inside the archive. Any thread may read. */
struct archive;

enum { ARCHIVE_FILES_MAX = 64 * 1024, ARCHIVE_LINKS_MAX = 8 };

/* tmp_folder is where a compressed archive is inflated. */
MUST_CHECK struct archive *archive_open(const char *path, const char *tmp_folder,
                                        struct error *err);
void archive_free(struct archive *a);
DEFINE_AUTO(archive)

/* An open regular file or a part of one; the descriptor is the caller's to close. */
struct archive_file {
    int fd;
    uint64_t at;
    uint64_t size;
};

/* ERROR_NOT_FOUND. */
MUST_CHECK int archive_find(const struct archive *a, const char *name, struct archive_file *out,
                            struct error *err);

bool archive_has(const struct archive *a, const char *name);

/* Appends a whole file to out. */
MUST_CHECK int archive_load(const struct archive *a, const char *name, struct buf *out,
                            struct error *err);

/* Gives a whole file to write(). */
typedef int archive_write(void *sink, const void *data, size_t len, struct error *err);
MUST_CHECK int archive_read(const struct archive *a, const char *name, archive_write *write,
                            void *sink, struct error *err);
