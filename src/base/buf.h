// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* buf: bytes that grow up to a maximum.
 *
 * It cannot be made without its maximum. Growing past it fails with ERROR_EXHAUSTED and leaves the
 * contents as they were. There is always a NUL behind the last byte, so data is a C string when
 * the bytes are text. Memory of the caller; one thread at a time. */
struct buf {
    char *data; /* never NULL after the first append */
    size_t len;
    size_t cap;
    size_t max;
};

#define BUF(max_bytes)                                                                             \
    {                                                                                              \
        .max = (max_bytes)                                                                         \
    }

void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b);

MUST_CHECK int buf_append(struct buf *b, const void *data, size_t len, struct error *err);
MUST_CHECK int buf_printf(struct buf *b, struct error *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Room for len more bytes; returns where they go, or NULL. buf_added() then counts them in. */
MUST_CHECK char *buf_reserve(struct buf *b, size_t len, struct error *err);
void buf_added(struct buf *b, size_t len);

/* Drops len bytes at the front. */
void buf_consume(struct buf *b, size_t len);

/* The text, now the caller's to free; an empty buffer gives "". */
MUST_CHECK char *buf_take(struct buf *b);
