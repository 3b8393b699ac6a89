// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* identity: which file with which contents a path leads to, without looking at the contents.
 *
 * The time of change is the inode's, which nobody can set: a file that was written to, or replaced
 * by another one, has a new identity. Any thread. */
struct identity {
    uint64_t device;
    uint64_t inode;
    int64_t changed_ns;
};

MUST_CHECK int identity_of_fd(int fd, struct identity *out, struct error *err);
MUST_CHECK int identity_of_path(const char *path, struct identity *out, struct error *err);

bool identity_equals(const struct identity *a, const struct identity *b);
