// SPDX-License-Identifier: Apache-2.0
#include "base/message.h"

#include <string.h>

#include "base/own.h"
#include "base/utf8.h"

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

static bool is_text(const ProtobufCFieldDescriptor *field, const void *member)
{
    const char *text = *(const char *const *)member;
    const ProtobufCMessage *message = *(const ProtobufCMessage *const *)member;

    if (field->type == PROTOBUF_C_TYPE_STRING)
        return !text || utf8_is_valid(text, strlen(text));
    return !message || message_is_text(message);
}

/* Its one value, or all of them. */
static bool field_is_text(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *field)
{
    const char *base = (const char *)m, *member = base + field->offset;
    size_t n = 0;

    if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
        *(const uint32_t *)(const void *)(base + field->quantifier_offset) != field->id)
        return true;
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return is_text(field, member);
    n = *(const size_t *)(const void *)(base + field->quantifier_offset);
    for (size_t i = 0; i < n; i++)
        if (!is_text(field, *(const char *const *)(const void *)member + i * sizeof(void *)))
            return false;
    return true;
}

bool message_is_text(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        if (!field_is_text(message, &message->descriptor->fields[i]))
            return false;
    return true;
}
