// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_frame.h"

#include "base/own.h"

struct grpc_frame *grpc_frame_new(const ProtobufCMessage *message, size_t max, struct error *err)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    struct grpc_frame *frame;

    if (len > max) {
        error_set(err, ERROR_EXHAUSTED, "%s of %zu bytes, more than the limit of %zu",
                  message->descriptor->name, len, max);
        return NULL;
    }
    frame = xmalloc(sizeof *frame + GRPC_FRAME_PREFIX + len);
    frame->next = NULL;
    frame->len = GRPC_FRAME_PREFIX + len;
    frame->data[0] = 0;
    frame->data[1] = (unsigned char)(len >> 24);
    frame->data[2] = (unsigned char)(len >> 16);
    frame->data[3] = (unsigned char)(len >> 8);
    frame->data[4] = (unsigned char)len;
    protobuf_c_message_pack(message, frame->data + GRPC_FRAME_PREFIX);
    return frame;
}

void grpc_frame_free(struct grpc_frame *frame)
{
    free(frame);
}

void grpc_frame_put(struct grpc_frame_queue *q, struct grpc_frame *taken)
{
    taken->next = NULL;
    if (q->last)
        q->last->next = taken;
    else
        q->first = taken;
    q->last = taken;
}

struct grpc_frame *grpc_frame_take(struct grpc_frame_queue *q)
{
    struct grpc_frame *frame = q->first;

    if (frame)
        q->first = frame->next;
    if (!q->first)
        q->last = NULL;
    return frame;
}

void grpc_frame_drop_all(struct grpc_frame_queue *q)
{
    struct grpc_frame *frame;

    while ((frame = grpc_frame_take(q)))
        grpc_frame_free(frame);
}
