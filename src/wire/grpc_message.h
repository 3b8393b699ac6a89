// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "wire/grpc_frame.h"

/* grpc_message: a message being received, which comes behind a prefix of five bytes in pieces of
 * any size. No more of it is kept than has arrived. Memory of the caller; one thread at a time. */
struct grpc_message {
    unsigned char prefix[GRPC_FRAME_PREFIX];
    size_t prefix_len;
    size_t len;      /* announced, once the prefix is whole */
    struct buf body; /* its maximum is that of the message */
};

void grpc_message_init(struct grpc_message *m, size_t max);
void grpc_message_fini(struct grpc_message *m);

/* Empty again, for the next message. */
void grpc_message_reset(struct grpc_message *m);

/* Takes bytes up to the end of the message and returns how many. ERROR_EXHAUSTED when it is
 * announced as longer than its maximum, ERROR_UNIMPLEMENTED when it is compressed. */
MUST_CHECK ssize_t grpc_message_read(struct grpc_message *m, const void *data, size_t len,
                                     struct error *err);

bool grpc_message_is_complete(const struct grpc_message *m);
bool grpc_message_is_empty(const struct grpc_message *m); /* nothing has arrived */
