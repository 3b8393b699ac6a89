// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"

/* inflate: what a layer is before it was compressed: gzip, zstd, or plain, told by its first bytes.
 *
 * Members and frames behind each other are one stream, as in eStargz and zstd:chunked. It keeps no
 * input, knows no descriptor. Owned by who made it; one thread at a time. */
struct inflate;

enum {
    INFLATE_WINDOW_LOG_MAX = 27, /* of zstd: 128 MiB */
    INFLATE_MAGIC_MAX = 4,
    INFLATE_GROWTH_MAX = 2000, /* times; gzip cannot do more than 1032 */
};
#define INFLATE_BYTES_MAX    ((uint64_t)256 << 30)
#define INFLATE_BYTES_ALWAYS ((uint64_t)1 << 30) /* whatever they were compressed to */

enum inflate_format { INFLATE_UNKNOWN, INFLATE_PLAIN, INFLATE_GZIP, INFLATE_ZSTD };

struct inflate_input {
    const void *data;
    size_t len;
};

MUST_CHECK struct inflate *inflate_new(void);
void inflate_free(struct inflate *i);
DEFINE_AUTO(inflate)

/* Takes bytes from the front of in and fills out. Returns how many bytes it wrote, or -1. It is to
 * be called until in is empty and it wrote less than out_len: only then is it done with the input.
 * ERROR_INVALID for damaged data, ERROR_EXHAUSTED for a window too large and for more bytes than
 * there may be: INFLATE_BYTES_MAX, or INFLATE_BYTES_ALWAYS and INFLATE_GROWTH_MAX for each that
 * came. */
MUST_CHECK ssize_t inflate_next(struct inflate *i, struct inflate_input *in, void *out,
                                size_t out_len, struct error *err);

/* The input has ended: how many bytes were still held back (a stream shorter than any magic) are
 * written to out, which has room for INFLATE_MAGIC_MAX. Fails when the stream was cut off. */
MUST_CHECK ssize_t inflate_finish(struct inflate *i, void *out, struct error *err);

/* What the first INFLATE_MAGIC_MAX bytes of a stream tell, or all of a shorter one. */
enum inflate_format inflate_detect(const void *bytes, size_t len);

/* INFLATE_UNKNOWN until enough bytes came. */
enum inflate_format inflate_format(const struct inflate *i);
