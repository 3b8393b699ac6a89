// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy_output.h"

#include <string.h>

#include "wire/spdy.h"
#include "wire/spdy_headers.h"

/* What may wait beside data: replies and ends of many streams, and echoes of pings. A client that
 * makes us say more than that without reading any of it has failed. */
enum { CONTROL_MAX = 128 * 1024 };

void spdy_output_init(struct spdy_output *o)
{
    *o = (struct spdy_output){.bytes = BUF(SPDY_OUT_MAX + CONTROL_MAX)};
}

void spdy_output_fini(struct spdy_output *o)
{
    buf_fini(&o->bytes);
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A whole frame or nothing of it. */
static void add(struct spdy_output *o, const uint8_t head[static SPDY_HEAD_SIZE],
                const void *payload, size_t len)
{
    struct error ignored;

    if (!buf_reserve(&o->bytes, SPDY_HEAD_SIZE + len, &ignored) ||
        buf_append(&o->bytes, head, SPDY_HEAD_SIZE, &ignored) < 0 ||
        buf_append(&o->bytes, payload, len, &ignored) < 0)
        o->overflowed = true;
}

void spdy_output_control(struct spdy_output *o, enum spdy_frame_type type, const uint8_t *payload,
                         size_t len)
{
    uint8_t head[SPDY_HEAD_SIZE] = {0x80, SPDY_VERSION, 0, (uint8_t)type};

    put_u32(head + 4, (uint32_t)len);
    add(o, head, payload, len);
}

void spdy_output_pair(struct spdy_output *o, enum spdy_frame_type type, uint32_t id,
                      uint32_t status)
{
    uint8_t payload[8];

    put_u32(payload, id);
    put_u32(payload + 4, status);
    spdy_output_control(o, type, payload, sizeof payload);
}

void spdy_output_reply(struct spdy_output *o, uint32_t id)
{
    uint8_t payload[4 + SPDY_HEADERS_EMPTY];
    size_t skip = o->has_replied ? SPDY_HEADERS_PREAMBLE : 0, len = SPDY_HEADERS_EMPTY - skip;

    put_u32(payload, id);
    memcpy(payload + 4, spdy_headers_empty_block + skip, len);
    spdy_output_control(o, SPDY_FRAME_SYN_REPLY, payload, 4 + len);
    o->has_replied = true;
}

void spdy_output_data(struct spdy_output *o, uint32_t id, uint8_t flags, const void *data,
                      size_t len)
{
    uint8_t head[SPDY_HEAD_SIZE];

    put_u32(head, id);
    put_u32(head + 4, (uint32_t)flags << 24 | (uint32_t)len);
    add(o, head, data, len);
}
