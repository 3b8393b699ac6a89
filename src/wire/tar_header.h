// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "wire/tar.h"

/* tar_header: one header block as it is in the archive, before extensions apply. Any thread. */
enum { TAR_HEADER_SPARSE = 4, TAR_HEADER_SPARSE_MORE = 21 };

struct tar_header {
    char type;
    char name[256 + 1]; /* prefix, slash and name */
    char link[100 + 1];
    int64_t mode;
    int64_t uid;
    int64_t gid;
    int64_t size;
    int64_t modified;
    int64_t accessed;
    int64_t major;
    int64_t minor;
};

bool tar_header_is_zero(const uint8_t block[static TAR_BLOCK_SIZE]);

/* ERROR_INVALID when the checksum or a number is wrong. */
MUST_CHECK int tar_header_decode(const uint8_t block[static TAR_BLOCK_SIZE], struct tar_header *out,
                                 struct error *err);

/* A number field: octal text, or base 256. */
MUST_CHECK int tar_header_number(const uint8_t *field, size_t len, int64_t *out, struct error *err);
