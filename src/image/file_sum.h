// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* file_sum: a number by which damage to a file's contents is seen: what a disk lost reads as zeros
 * or as what was there before. It is no digest: who means to deceive is not kept from it.
 *
 * Each eight bytes count times an odd number that depends on where they are. So pieces add up in
 * any order, a file is the sum of its pieces, and zeros and holes add nothing. Any thread. */
uint64_t file_sum_of(const void *bytes, size_t len, uint64_t offset);

/* Of all that is in an open file. */
MUST_CHECK int file_sum_read(int fd, uint64_t *out, struct error *err);
