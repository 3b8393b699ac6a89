// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/own.h"
#include "wire/spdy_dictionary.h"

/* The client's end: it writes frames and compresses headers as one zlib stream. */
struct client {
    z_stream zlib;
    struct buf bytes;
};

static inline void client_init(struct client *c)
{
    *c = (struct client){.bytes = BUF(64 << 20)};
    assert_int_equal(deflateInit(&c->zlib, 9), Z_OK);
    deflateSetDictionary(&c->zlib, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_LEN);
}

static inline void client_fini(struct client *c)
{
    deflateEnd(&c->zlib);
    buf_fini(&c->bytes);
}

static inline void add(struct client *c, const void *data, size_t len)
{
    struct error err;

    assert_int_equal(buf_append(&c->bytes, data, len, &err), 0);
}

static inline void add_u32(struct client *c, uint32_t value)
{
    uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                       (uint8_t)value};

    add(c, bytes, sizeof bytes);
}

static inline void add_control(struct client *c, uint32_t type, uint32_t flags, uint32_t len)
{
    add_u32(c, 0x80030000 | type);
    add_u32(c, flags << 24 | len);
}

static inline void add_data(struct client *c, uint32_t stream, uint32_t flags, const char *text)
{
    add_u32(c, stream);
    add_u32(c, flags << 24 | (uint32_t)strlen(text));
    add(c, text, strlen(text));
}

/* SYN_STREAM with a block of the caller's making. */
static inline void add_open_block(struct client *c, uint32_t id, uint32_t flags, const void *block,
                                  size_t len)
{
    size_t bound = deflateBound(&c->zlib, len) + 64;
    AUTO_FREE uint8_t *out = xmalloc(bound);

    c->zlib.next_in = (Bytef *)block;
    c->zlib.avail_in = (uInt)len;
    c->zlib.next_out = out;
    c->zlib.avail_out = (uInt)bound;
    assert_int_equal(deflate(&c->zlib, Z_SYNC_FLUSH), Z_OK);
    add_control(c, 1, flags, (uint32_t)(10 + bound - c->zlib.avail_out));
    add_u32(c, id);
    add(c, "\0\0\0\0\0\0", 6);
    add(c, out, bound - c->zlib.avail_out);
}

static inline void add_open(struct client *c, uint32_t id, uint32_t flags, const char *type)
{
    char block[64] = "\0\0\0\1\0\0\0\12streamtype\0\0\0";

    block[21] = (char)strlen(type);
    memcpy(block + 22, type, strlen(type));
    add_open_block(c, id, flags, block, 22 + strlen(type));
}
