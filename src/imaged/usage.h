// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/error.h"

/* usage: what a folder and all below it take on disk. Any thread. */
struct usage {
    uint64_t bytes; /* allocated; a file with several names counts once */
    uint64_t inodes;
};

MUST_CHECK int usage_measure(int dirfd, const char *path, struct usage *out, struct error *err);
