// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* base64: RFC 4648, the alphabet with + and /, with padding. */

/* Without a NUL. */
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Writes BASE64_LEN(len) characters and no NUL; returns how many. */
size_t base64_encode(const void *data, size_t len, char *out);

/* Takes text in any portions. Memory of the caller, zero-initialised. */
struct base64_decoder {
    uint32_t bits;
    unsigned chars; /* of a group of four */
    unsigned pads;
};

/* Writes at most (len + 3) / 4 * 3 bytes; returns how many, or -1 when it is no base64. */
int base64_decode(struct base64_decoder *d, const char *text, size_t len, uint8_t *out);

/* False when the text ended inside a group. */
bool base64_is_whole(const struct base64_decoder *d);

/* Whole texts, which the caller frees. The padding of one to be decoded may be missing, for some
 * leave it out; a NUL stands behind what was decoded. NULL when it is no base64. */
char *base64_encode_text(const void *data, size_t len);
char *base64_decode_text(const char *text, size_t *out_len);
