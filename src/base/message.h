// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* message: protobuf messages that outlive a request, on the heap. Any thread.
 *
 * Free them with message_free(). */

ProtobufCMessage *message_copy(const ProtobufCMessage *message);

/* NULL with ERROR_INVALID when the bytes are no such message. */
MUST_CHECK ProtobufCMessage *message_unpack(const ProtobufCMessageDescriptor *descriptor,
                                            const void *data, size_t len, struct error *err);

/* Packed bytes, the caller's to free. */
MUST_CHECK void *message_pack(const ProtobufCMessage *message, size_t *out_len);

void message_free(ProtobufCMessage *message);

/* True when every string in it is UTF-8, as protobuf demands: a client would refuse a message that
 * gives back another. */
bool message_is_text(const ProtobufCMessage *message);

/* The first string in packed bytes that has a NUL byte, or NULL. Unpacked it would end there, and
 * mean something else than what was sent. */
const ProtobufCFieldDescriptor *message_find_nul(const ProtobufCMessageDescriptor *type,
                                                 const void *data, size_t len);
