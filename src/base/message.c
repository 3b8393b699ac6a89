// SPDX-License-Identifier: Apache-2.0
#include "base/message.h"

#include "base/own.h"

void *message_pack(const ProtobufCMessage *message, size_t *out_len)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    void *data = xmalloc(len);

    *out_len = protobuf_c_message_pack(message, data);
    return data;
}

ProtobufCMessage *message_unpack(const ProtobufCMessageDescriptor *descriptor, const void *data,
                                 size_t len, struct error *err)
{
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, NULL, len, data);

    if (!message)
        error_set(err, ERROR_INVALID, "the bytes are no %s", descriptor->name);
    return message;
}

ProtobufCMessage *message_copy(const ProtobufCMessage *message)
{
    struct error err;
    size_t len;
    AUTO_FREE void *data = message_pack(message, &len);
    ProtobufCMessage *copy = message_unpack(message->descriptor, data, len, &err);

    if (!copy)
        abort(); /* what was just packed unpacks, or memory is out */
    return copy;
}

void message_free(ProtobufCMessage *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}
