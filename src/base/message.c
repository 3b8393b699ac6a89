// SPDX-License-Identifier: Apache-2.0
#include "base/message.h"

#include <stdint.h>
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

/* --- packed bytes --- */

enum { VARINT, FIXED_64, DELIMITED, FIXED_32 = 5, WIRE_BITS = 3, VARINT_MAX = 10 };

struct bytes {
    const uint8_t *at, *end;
};

static bool read_varint(struct bytes *b, uint64_t *out)
{
    *out = 0;
    for (unsigned i = 0; i < VARINT_MAX && b->at < b->end; i++) {
        *out |= (uint64_t)(*b->at & 0x7f) << (7 * i);
        if (!(*b->at++ & 0x80))
            return true;
    }
    return false;
}

/* One field's value; false at the end, and where the bytes are no message. Only what is delimited
 * has something in it. */
static bool read_value(struct bytes *b, unsigned wire_type, struct bytes *out)
{
    uint64_t len = wire_type == FIXED_64 ? 8 : wire_type == FIXED_32 ? 4 : 0, unused;

    *out = (struct bytes){b->at, b->at};
    if (wire_type == VARINT)
        return read_varint(b, &unused);
    if (wire_type != FIXED_64 && wire_type != FIXED_32 && wire_type != DELIMITED)
        return false;
    if (wire_type == DELIMITED && !read_varint(b, &len))
        return false;
    if (len > (uint64_t)(b->end - b->at))
        return false;
    if (wire_type == DELIMITED)
        *out = (struct bytes){b->at, b->at + len};
    b->at += len;
    return true;
}

const ProtobufCFieldDescriptor *message_find_nul(const ProtobufCMessageDescriptor *type,
                                                 const void *data, size_t len)
{
    struct bytes left = {data, (const uint8_t *)data + len}, value;
    const ProtobufCFieldDescriptor *field, *found;
    uint64_t tag;

    while (read_varint(&left, &tag) && read_value(&left, tag & ((1 << WIRE_BITS) - 1), &value)) {
        size_t value_len = (size_t)(value.end - value.at);

        field = tag >> WIRE_BITS > UINT32_MAX
                    ? NULL
                    : protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> WIRE_BITS));
        if (!field || value_len == 0)
            continue;
        if (field->type == PROTOBUF_C_TYPE_STRING && memchr(value.at, 0, value_len))
            return field;
        found = field->type == PROTOBUF_C_TYPE_MESSAGE
                    ? message_find_nul(field->descriptor, value.at, value_len)
                    : NULL;
        if (found)
            return found;
    }
    return NULL;
}
