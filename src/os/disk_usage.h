// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

/* disk_usage: what a folder takes on disk: blocks and inodes of everything in it, itself
 * included, hard links once; other mounts and links are not followed. Any thread. */
struct disk_usage {
    uint64_t bytes;
    uint64_t inodes;
};

/* What vanishes meanwhile is not counted. */
struct disk_usage disk_usage_of(const char *folder);
