// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* usage: what a folder and all below it take on disk, and its line of text in a layer's "size"
 * file. Any thread. */
struct usage {
    uint64_t bytes; /* allocated; a file with several names counts once */
    uint64_t inodes;
    uint64_t content; /* what the sizes of all files add up to */
};

enum { USAGE_TEXT_SIZE = 64 };
#define USAGE_UNKNOWN UINT64_MAX

MUST_CHECK int usage_measure(int dirfd, const char *path, struct usage *out, struct error *err);

/* "<bytes> <inodes> <content>\n" */
void usage_format(const struct usage *u, char out[static USAGE_TEXT_SIZE]);

/* False when it is no such line. Where content is missing it is USAGE_UNKNOWN. */
bool usage_parse(const char *text, struct usage *out);
