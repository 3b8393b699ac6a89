// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* The client's end of a WebSocket connection: adds a masked frame, whose first byte is head. */
static inline void add_frame(struct buf *to, uint8_t head, const void *data, size_t len)
{
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    uint8_t bytes[14] = {head, (uint8_t)(0x80 | len)};
    size_t n = 2;
    struct error err;
    char *at;

    if (len >= 126) {
        size_t size = len > 0xffff ? 8 : 2;

        bytes[1] = size == 8 ? 0xff : 0xfe;
        for (size_t i = size; i-- > 0;)
            bytes[n++] = (uint8_t)((uint64_t)len >> (8 * i));
    }
    memcpy(bytes + n, mask, 4);
    assert_int_equal(buf_append(to, bytes, n + 4, &err), 0);
    at = buf_reserve(to, len, &err);
    assert_non_null(at);
    for (size_t i = 0; i < len; i++)
        at[i] = (char)(((const uint8_t *)data)[i] ^ mask[i % 4]);
    buf_added(to, len);
}

static inline void add_text_frame(struct buf *to, uint8_t head, const char *text)
{
    add_frame(to, head, text, strlen(text));
}
