// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "wire/spdy.h"

/* spdy_headers: the blocks of headers of one session.
 *
 * Those of the client are one zlib stream for the whole session, so every block has to be fed, also
 * those of frames that nobody wants. The blocks of the server have no headers and are not
 * compressed, which is valid zlib as well: that needs no memory. */
struct spdy_headers;

MUST_CHECK struct spdy_headers *spdy_headers_new(void);
void spdy_headers_free(struct spdy_headers *h);
DEFINE_AUTO(spdy_headers)

/* A block arrives in any portions: begin, feed ..., end. After end list and len tell what is in it,
 * until the next begin. */
void spdy_headers_begin(struct spdy_headers *h);
MUST_CHECK int spdy_headers_feed(struct spdy_headers *h, const uint8_t *data, size_t len,
                                 struct error *err);
MUST_CHECK int spdy_headers_end(struct spdy_headers *h, struct error *err);
const struct spdy_header *spdy_headers_list(const struct spdy_headers *h, size_t *out_len);

/* The block without headers: the bytes of the first one of a session, of all others those behind
 * SPDY_HEADERS_PREAMBLE. */
enum { SPDY_HEADERS_PREAMBLE = 6, SPDY_HEADERS_EMPTY = 20 };
extern const uint8_t spdy_headers_empty_block[SPDY_HEADERS_EMPTY];
