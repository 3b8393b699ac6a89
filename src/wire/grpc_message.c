// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_message.h"

#include <string.h>

void grpc_message_init(struct grpc_message *m, size_t max)
{
    *m = (struct grpc_message){.body = BUF(max)};
}

void grpc_message_fini(struct grpc_message *m)
{
    buf_fini(&m->body);
}

void grpc_message_reset(struct grpc_message *m)
{
    m->prefix_len = 0;
    m->len = 0;
    m->body.len = 0;
}

/* The prefix is whole. */
static int check_prefix(struct grpc_message *m, struct error *err)
{
    const unsigned char *p = m->prefix;

    if (p[0] != 0)
        return error_set(err, ERROR_UNIMPLEMENTED, "compressed messages are not supported");
    m->len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (m->len > m->body.max)
        return error_set(err, ERROR_EXHAUSTED, "message of %zu bytes, more than the limit of %zu",
                         m->len, m->body.max);
    return 0;
}

ssize_t grpc_message_read(struct grpc_message *m, const void *data, size_t len, struct error *err)
{
    size_t head = GRPC_FRAME_PREFIX - m->prefix_len;
    size_t rest;

    if (head > len)
        head = len;
    if (head > 0) {
        memcpy(m->prefix + m->prefix_len, data, head);
        m->prefix_len += head;
        if (m->prefix_len < GRPC_FRAME_PREFIX)
            return (ssize_t)head;
        if (check_prefix(m, err) < 0)
            return -1;
    }
    rest = m->len - m->body.len;
    if (rest > len - head)
        rest = len - head;
    if (buf_append(&m->body, (const char *)data + head, rest, err) < 0)
        return -1;
    return (ssize_t)(head + rest);
}

bool grpc_message_is_complete(const struct grpc_message *m)
{
    return m->prefix_len == GRPC_FRAME_PREFIX && m->body.len == m->len;
}

bool grpc_message_is_empty(const struct grpc_message *m)
{
    return m->prefix_len == 0;
}
