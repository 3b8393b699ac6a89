// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "base/own.h"

/* tar: a reader of tar archives: bytes in, entries and their data out.
 *
 * It knows V7, ustar and pax, GNU's long names, base-256 numbers and all of its sparse formats, so
 * its user sees entries with their real names, sizes and extended attributes only. Names come as
 * the archive has them, with ".." and all: what they may reach is for the user to enforce. Global
 * pax headers are ignored, as image tools do. It knows no descriptor; one thread at a time. */
struct tar;

enum {
    TAR_BLOCK_SIZE = 512,
    TAR_PATH_MAX = 4095,             /* of a name or a link's target */
    TAR_EXTENSION_MAX = 1024 * 1024, /* one pax header */
    TAR_XATTR_NAME_MAX = 255,
    TAR_XATTR_SIZE_MAX = 64 * 1024,
    TAR_XATTRS_MAX = 256,        /* of one entry */
    TAR_EXTENTS_MAX = 64 * 1024, /* of one sparse file */
    TAR_ENTRIES_MAX = 8 * 1024 * 1024,
};

enum tar_type {
    TAR_FILE,
    TAR_HARD_LINK,
    TAR_SYMLINK,
    TAR_CHAR_DEVICE,
    TAR_BLOCK_DEVICE,
    TAR_DIR,
    TAR_FIFO,
};

struct tar_xattr {
    const char *name;
    const char *value; /* may hold NULs */
    size_t len;
};

struct tar_entry {
    enum tar_type type;
    const char *path;
    const char *link; /* "" unless a link */
    uint32_t mode;    /* 07777 at most */
    uint32_t uid;
    uint32_t gid;
    uint32_t major;
    uint32_t minor;
    uint64_t size; /* of the file as it shall be: with its holes */
    bool sparse;
    struct timespec modified;
    struct timespec accessed; /* tv_sec 0 when the archive does not say */
    const struct tar_xattr *xattrs;
    size_t n_xattrs;
};

/* What is left of the caller's bytes. */
struct tar_input {
    const void *data;
    size_t len;
};

struct tar_chunk {
    uint64_t offset; /* in the file; between chunks there may be holes */
    const void *data;
    size_t len;
};

enum tar_event {
    TAR_MORE,      /* all input is used up */
    TAR_ENTRY,     /* tar_entry() */
    TAR_DATA,      /* tar_chunk(): a piece of a TAR_FILE */
    TAR_ENTRY_END, /* after the last piece, for every entry */
};

MUST_CHECK struct tar *tar_new(void);
void tar_free(struct tar *t);
DEFINE_AUTO(tar)

/* Takes bytes from the front of in. Returns a tar_event, or -1: ERROR_INVALID when this is no tar
 * archive, ERROR_EXHAUSTED above a limit. What follows the end of the archive is taken and
 * ignored. */
MUST_CHECK int tar_next(struct tar *t, struct tar_input *in, struct error *err);

/* Valid until tar_next() is called after TAR_ENTRY_END. */
const struct tar_entry *tar_entry(const struct tar *t);

/* Valid until the next tar_next(); the data is the caller's input. */
const struct tar_chunk *tar_chunk(const struct tar *t);

/* After TAR_ENTRY: how many bytes of input the rest of this entry is. The caller leaves them out
 * and goes on with those behind them; there is no TAR_ENTRY_END. */
uint64_t tar_skip(struct tar *t);

/* The input has ended. Fails when it ended inside an entry. */
MUST_CHECK int tar_finish(const struct tar *t, struct error *err);
