// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy_headers.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "wire/spdy_dictionary.h"

/* At the end of the block there is one NUL more, which buf writes. */
struct spdy_headers {
    z_stream zlib;
    struct buf block;
    struct spdy_header list[SPDY_HEADERS_MAX];
    size_t len;
};

enum { GROW = 1024 };

/* The stored block of four zeros comes with an empty one behind it: Go's inflate hands out what it
 * has at one of these only, as it follows each Z_SYNC_FLUSH. */
const uint8_t spdy_headers_empty_block[SPDY_HEADERS_EMPTY] = {
    0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2,                   /* zlib, and the dictionary's checksum */
    0x00, 0x04, 0x00, 0xfb, 0xff, 0x00, 0x00, 0x00, 0x00, /* no headers */
    0x00, 0x00, 0x00, 0xff, 0xff};

struct spdy_headers *spdy_headers_new(void)
{
    struct spdy_headers *h = xcalloc(1, sizeof *h);
    int rc = inflateInit(&h->zlib);

    assert(rc == Z_OK);
    buf_init(&h->block, SPDY_BLOCK_MAX);
    return h;
}

void spdy_headers_free(struct spdy_headers *h)
{
    if (!h)
        return;
    inflateEnd(&h->zlib);
    buf_fini(&h->block);
    free(h);
}

void spdy_headers_begin(struct spdy_headers *h)
{
    buf_fini(&h->block);
    h->len = 0;
}

static int inflate_some(struct spdy_headers *h, uint8_t *to, size_t room)
{
    int rc;

    h->zlib.next_out = to;
    h->zlib.avail_out = (uInt)room;
    rc = inflate(&h->zlib, Z_SYNC_FLUSH);
    if (rc == Z_NEED_DICT &&
        inflateSetDictionary(&h->zlib, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_LEN) == Z_OK)
        rc = inflate(&h->zlib, Z_SYNC_FLUSH);
    return rc;
}

int spdy_headers_feed(struct spdy_headers *h, const uint8_t *data, size_t len, struct error *err)
{
    h->zlib.next_in = (Bytef *)data;
    h->zlib.avail_in = (uInt)len;
    do {
        size_t left = h->block.max - h->block.len, room = left < GROW ? left : GROW;
        uint8_t beyond, *to = room ? (uint8_t *)buf_reserve(&h->block, room, err) : &beyond;
        int rc = inflate_some(h, to, room ? room : 1);

        if (rc != Z_OK && rc != Z_BUF_ERROR)
            return error_set(err, ERROR_INVALID, "headers are not compressed as SPDY/3 does");
        if (!room && h->zlib.avail_out == 0)
            return error_set(err, ERROR_EXHAUSTED, "more than %d bytes of headers", SPDY_BLOCK_MAX);
        if (room)
            buf_added(&h->block, room - h->zlib.avail_out);
    } while (h->zlib.avail_in || h->zlib.avail_out == 0);
    return 0;
}

/* What is left of a block. */
struct rest {
    char *at;
    size_t len;
};

static bool take_number(struct rest *r, uint32_t *out)
{
    const uint8_t *at = (const uint8_t *)r->at;

    if (r->len < 4)
        return false;
    *out = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    /* Now that its bytes are known they may become the NUL behind the text before. */
    r->at[0] = '\0';
    r->at += 4;
    r->len -= 4;
    return true;
}

static bool take_text(struct rest *r, char **out, size_t *out_len)
{
    uint32_t len;

    if (!take_number(r, &len) || len > r->len)
        return false;
    *out = r->at;
    *out_len = len;
    r->at += len;
    r->len -= len;
    return true;
}

int spdy_headers_end(struct spdy_headers *h, struct error *err)
{
    struct rest rest = {h->block.data, h->block.len};
    uint32_t count;

    if (!take_number(&rest, &count))
        return error_set(err, ERROR_INVALID, "headers end too early");
    if (count > SPDY_HEADERS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d headers", SPDY_HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        char *name, *value;
        size_t name_len, value_len;

        if (!take_text(&rest, &name, &name_len) || !take_text(&rest, &value, &value_len))
            return error_set(err, ERROR_INVALID, "headers end too early");
        if (name_len == 0 || memchr(name, '\0', name_len))
            return error_set(err, ERROR_INVALID, "a header has no proper name");
        h->list[i] = (struct spdy_header){name, value, value_len};
    }
    if (rest.len)
        return error_set(err, ERROR_INVALID, "bytes behind the headers");
    h->len = count;
    return 0;
}

const struct spdy_header *spdy_headers_list(const struct spdy_headers *h, size_t *out_len)
{
    *out_len = h->len;
    return h->list;
}
