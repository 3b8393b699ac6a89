// SPDX-License-Identifier: Apache-2.0
#include "wire/ttrpc.h"

#include <string.h>

#include "base/own.h"
#include "ttrpc.pb-c.h"

enum { DECODER_MAX = TTRPC_HEADER_SIZE + TTRPC_DATA_MAX + TTRPC_FEED_MAX };

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

void ttrpc_encode_header(uint8_t out[static TTRPC_HEADER_SIZE], const struct ttrpc_frame *frame)
{
    put_u32(out, (uint32_t)frame->len);
    put_u32(out + 4, frame->stream);
    out[8] = frame->type;
    out[9] = frame->flags;
}

void ttrpc_decoder_init(struct ttrpc_decoder *d)
{
    *d = (struct ttrpc_decoder){.in = BUF(DECODER_MAX)};
}

void ttrpc_decoder_fini(struct ttrpc_decoder *d)
{
    buf_fini(&d->in);
    d->taken = d->discard = 0;
}

/* Drops what was given out and what belongs to an oversized frame. */
static void drop_done(struct ttrpc_decoder *d)
{
    size_t here;

    buf_consume(&d->in, d->taken);
    d->taken = 0;
    here = d->discard < d->in.len ? d->discard : d->in.len;
    buf_consume(&d->in, here);
    d->discard -= here;
    if (d->in.len == 0)
        buf_fini(&d->in);
}

int ttrpc_decoder_feed(struct ttrpc_decoder *d, const void *data, size_t len, struct error *err)
{
    if (len > TTRPC_FEED_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d bytes at once", TTRPC_FEED_MAX);
    drop_done(d);
    return buf_append(&d->in, data, len, err);
}

bool ttrpc_decoder_next(struct ttrpc_decoder *d, struct ttrpc_frame *out)
{
    const uint8_t *at;
    size_t len;

    drop_done(d);
    if (d->in.len < TTRPC_HEADER_SIZE)
        return false;
    at = (const uint8_t *)d->in.data;
    len = get_u32(at);
    if (len <= TTRPC_DATA_MAX && d->in.len - TTRPC_HEADER_SIZE < len)
        return false;
    *out =
        (struct ttrpc_frame){.stream = get_u32(at + 4), .type = at[8], .flags = at[9], .len = len};
    d->taken = TTRPC_HEADER_SIZE;
    if (len > TTRPC_DATA_MAX) {
        out->is_oversized = true;
        d->discard = len;
    } else {
        out->data = at + TTRPC_HEADER_SIZE;
        d->taken += len;
    }
    return true;
}

static uint8_t *pack(const ProtobufCMessage *message, size_t *out_len, struct error *err)
{
    size_t len = message ? protobuf_c_message_get_packed_size(message) : 0;
    uint8_t *bytes;

    if (len > TTRPC_DATA_MAX) {
        error_set(err, ERROR_EXHAUSTED, "message of %zu bytes is longer than %d", len,
                  TTRPC_DATA_MAX);
        return NULL;
    }
    bytes = xmalloc(len);
    *out_len = message ? protobuf_c_message_pack(message, bytes) : 0;
    return bytes;
}

static int append_frame(struct buf *out, uint32_t stream, enum ttrpc_type type,
                        const ProtobufCMessage *envelope, struct error *err)
{
    struct ttrpc_frame frame = {.stream = stream, .type = (uint8_t)type};
    uint8_t *at;

    frame.len = protobuf_c_message_get_packed_size(envelope);
    if (frame.len > TTRPC_DATA_MAX)
        return error_set(err, ERROR_EXHAUSTED, "message of %zu bytes is longer than %d", frame.len,
                         TTRPC_DATA_MAX);
    at = (uint8_t *)buf_reserve(out, TTRPC_HEADER_SIZE + frame.len, err);
    if (!at)
        return -1;
    ttrpc_encode_header(at, &frame);
    protobuf_c_message_pack(envelope, at + TTRPC_HEADER_SIZE);
    buf_added(out, TTRPC_HEADER_SIZE + frame.len);
    return 0;
}

int ttrpc_encode_request(struct buf *out, uint32_t stream, const struct ttrpc_request *request,
                         const ProtobufCMessage *message, struct error *err)
{
    Ttrpc__Request envelope = TTRPC__REQUEST__INIT;
    Ttrpc__KeyValue pair = TTRPC__KEY_VALUE__INIT, *pairs[] = {&pair};
    AUTO_FREE uint8_t *payload = pack(message, &envelope.payload.len, err);

    if (!payload)
        return -1;
    envelope.payload.data = payload;
    envelope.service = (char *)request->service;
    envelope.method = (char *)request->method;
    envelope.timeout_nano = request->timeout_ns;
    if (request->namespace) {
        pair.key = (char *)"containerd-namespace-ttrpc";
        pair.value = (char *)request->namespace;
        envelope.metadata = pairs;
        envelope.n_metadata = 1;
    }
    return append_frame(out, stream, TTRPC_REQUEST, &envelope.base, err);
}

int ttrpc_encode_response(struct buf *out, uint32_t stream, const struct error *status,
                          const ProtobufCMessage *message, struct error *err)
{
    Ttrpc__Response envelope = TTRPC__RESPONSE__INIT;
    Google__Rpc__Status failure = GOOGLE__RPC__STATUS__INIT;
    AUTO_FREE uint8_t *payload = pack(status ? NULL : message, &envelope.payload.len, err);

    if (!payload)
        return -1;
    envelope.payload.data = payload;
    if (status) {
        failure.code = (int32_t)status->code;
        failure.message = (char *)status->text;
        envelope.status = &failure;
    }
    return append_frame(out, stream, TTRPC_RESPONSE, &envelope.base, err);
}
