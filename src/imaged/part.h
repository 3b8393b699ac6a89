// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* part: a blob as it comes from a registry, on disk until it is unpacked, so that a pull that was
 * called off, failed or was killed is gone on with where it stopped.
 *
 * <root>/content/parts/<algorithm>-<hex>, locked by the run that has it; one run after the other
 * gets a blob. What is in it is not trusted: its digest decides when all is there. Memory of the
 * caller; one thread at a time. */
struct part {
    int fd; /* -1: none */
    char *path;
    int64_t kept; /* bytes that were there when it was opened */
};

enum {
    PART_WORTH_KEEPING = 256 * 1024,
    PART_AGE_MAX_S = 24 * 60 * 60,
};
#define PART_SUM_MAX ((int64_t)8 << 30)

/* Removes parts that are too old, and the oldest when together they are above PART_SUM_MAX. The
 * folder is there already. */
MUST_CHECK int part_prepare(const char *root, struct error *err);

/* Waits until nobody else has it. A part longer than size is none. ERROR_CANCELLED. */
MUST_CHECK int part_open(const char *root, const char *digest, int64_t size, struct part *out,
                         struct error *err);

/* Throws away what is in it. */
MUST_CHECK int part_empty(struct part *p, struct error *err);

/* Done with it. Of a blob that was taken in whole nothing stays, unless another run waits for the
 * same; of others what is worth it. */
void part_close(struct part *p, bool taken_in);
