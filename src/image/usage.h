// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* usage: what a folder and all below it take on disk, by what it is known again, and the line of
 * text that a layer's "size" file has of it. Any thread. */
struct usage {
    uint64_t bytes; /* allocated; a file with several names counts once */
    uint64_t inodes;
    uint64_t content; /* what the sizes of all files add up to */
    uint64_t names;   /* paths and kinds; but for folders size, times, owner and mode too */
    uint64_t data;    /* the sums of all files (file_sum.h) */
};

enum { USAGE_TEXT_SIZE = 128 };
#define USAGE_UNKNOWN UINT64_MAX

enum usage_depth {
    USAGE_NAMES, /* data stays USAGE_UNKNOWN */
    USAGE_DATA,  /* all files are read */
};

MUST_CHECK int usage_measure(int dirfd, const char *path, enum usage_depth depth, struct usage *out,
                             struct error *err);

/* "<bytes> <inodes> <content> <names> <data>\n", the last two in hex */
void usage_format(const struct usage *u, char out[static USAGE_TEXT_SIZE]);

/* False when it is no such line. What is missing behind inodes is USAGE_UNKNOWN. */
bool usage_parse(const char *text, struct usage *out);

/* Whether found is what was stated, as far as both are known. Bytes do not count: a file system
 * allocates as it likes. */
bool usage_is_same(const struct usage *stated, const struct usage *found);
