// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/error.h"

/* grpc_frame: a message to be sent, in one piece of memory: a byte that says that it is not
 * compressed, its length in four bytes, and the message. One thread at a time. */
enum { GRPC_FRAME_PREFIX = 5 };

struct grpc_frame {
    struct grpc_frame *next; /* for whoever owns it */
    size_t len;              /* of data */
    unsigned char data[];
};

/* ERROR_EXHAUSTED when the message packs to more than max bytes. */
MUST_CHECK struct grpc_frame *grpc_frame_new(const ProtobufCMessage *message, size_t max,
                                             struct error *err);
void grpc_frame_free(struct grpc_frame *frame);

/* First in, first out. Zero-initialised. */
struct grpc_frame_queue {
    struct grpc_frame *first;
    struct grpc_frame *last;
};

void grpc_frame_put(struct grpc_frame_queue *q, struct grpc_frame *taken);
struct grpc_frame *grpc_frame_take(struct grpc_frame_queue *q); /* NULL when there is none */
void grpc_frame_drop_all(struct grpc_frame_queue *q);
