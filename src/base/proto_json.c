// SPDX-License-Identifier: Apache-2.0
#include "base/proto_json.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/own.h"

enum { NAME_MAX_LEN = 64 };

enum style { PROTOBUF, TERSE };

static struct json_object *object_of(const ProtobufCMessage *message, enum style style);

static struct json_object *base64(const ProtobufCBinaryData *bytes)
{
    AUTO_FREE char *text = base64_encode_text(bytes->data, bytes->len);

    return json_object_new_string(text);
}

static struct json_object *long_number(bool is_signed, const void *at, enum style style)
{
    char text[24];

    if (style == TERSE)
        return is_signed ? json_object_new_int64(*(const int64_t *)at)
                         : json_object_new_uint64(*(const uint64_t *)at);
    if (is_signed)
        snprintf(text, sizeof text, "%" PRId64, *(const int64_t *)at);
    else
        snprintf(text, sizeof text, "%" PRIu64, *(const uint64_t *)at);
    return json_object_new_string(text);
}

static struct json_object *enum_name(const ProtobufCEnumDescriptor *type, int number,
                                     enum style style)
{
    const ProtobufCEnumValue *value =
        style == TERSE ? NULL : protobuf_c_enum_descriptor_get_value(type, number);

    return value ? json_object_new_string(value->name) : json_object_new_int(number);
}

/* One value of a field, at a place in memory. */
static struct json_object *value_of(const ProtobufCFieldDescriptor *field, const void *at,
                                    enum style style)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        return long_number(true, at, style);
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return long_number(false, at, style);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return json_object_new_int64(*(const uint32_t *)at);
    case PROTOBUF_C_TYPE_FLOAT:
        return json_object_new_double((double)*(const float *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_object_new_double(*(const double *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return json_object_new_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_name(field->descriptor, *(const int *)at, style);
    case PROTOBUF_C_TYPE_STRING:
        return json_object_new_string(*(char *const *)at ? *(char *const *)at : "");
    case PROTOBUF_C_TYPE_BYTES:
        return base64(at);
    case PROTOBUF_C_TYPE_MESSAGE: {
        const ProtobufCMessage *message = *(ProtobufCMessage *const *)at;

        return message ? object_of(message, style) : NULL;
    }
    default: /* 32 bits and signed */
        return json_object_new_int(*(const int32_t *)at);
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

/* protobuf-c gives maps as repeated messages called SomethingEntry with a key and a value. */
static bool is_map(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    size_t len;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE || entry->n_fields != 2)
        return false;
    len = strlen(entry->name);
    return len > 5 && strcmp(entry->name + len - 5, "Entry") == 0 &&
           strcmp(entry->fields[0].name, "key") == 0;
}

static void add_entry(struct json_object *map, const ProtobufCMessage *entry, enum style style)
{
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0];
    const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
    JSON_AUTO *name = value_of(key, (const char *)entry + key->offset, style);

    json_add(map, json_object_get_string(name),
             value_of(value, (const char *)entry + value->offset, style));
}

static struct json_object *list_of(const ProtobufCFieldDescriptor *field, const char *message,
                                   enum style style)
{
    size_t count = *(const size_t *)(const void *)(message + field->quantifier_offset);
    const char *items = *(const char *const *)(const void *)(message + field->offset);
    bool map = is_map(field);
    struct json_object *list = map ? json_object_new_object() : json_object_new_array();

    for (size_t i = 0; i < count; i++) {
        const char *at = items + i * size_of(field);

        if (map)
            add_entry(list, *(ProtobufCMessage *const *)(const void *)at, style);
        else
            json_add(list, NULL, value_of(field, at, style));
    }
    return list;
}

/* pod_sandbox_id becomes podSandboxId. */
static void camel_case(char out[static NAME_MAX_LEN], const char *name)
{
    size_t len = 0;

    for (; *name && len < NAME_MAX_LEN - 1; name++) {
        bool raise = name[0] == '_' && name[1] >= 'a' && name[1] <= 'z';

        name += raise;
        out[len++] = raise ? (char)(*name - 'a' + 'A') : *name;
    }
    out[len] = '\0';
}

/* Of proto3: zero, false, no text, no bytes, no message. */
static bool is_default(const ProtobufCFieldDescriptor *field, const char *message)
{
    static const char zeros[8];
    const void *at = message + field->offset;

    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(const void *)(message + field->quantifier_offset) == 0;
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        return !*(char *const *)at || !**(char *const *)at;
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)at)->len == 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return !*(ProtobufCMessage *const *)at;
    default:
        return memcmp(at, zeros, size_of(field)) == 0;
    }
}

static struct json_object *object_of(const ProtobufCMessage *message, enum style style)
{
    struct json_object *object = json_object_new_object();

    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *at = (const char *)message;
        char camel[NAME_MAX_LEN];
        const char *name = style == TERSE ? field->name : camel;

        camel_case(camel, field->name);
        if (style == TERSE && is_default(field, at))
            continue;
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            json_add(object, name, list_of(field, at, style));
        else
            json_add(object, name, value_of(field, at + field->offset, style));
    }
    return object;
}

struct json_object *proto_json_of(const ProtobufCMessage *message)
{
    return object_of(message, PROTOBUF);
}

struct json_object *proto_json_terse(const ProtobufCMessage *message)
{
    return object_of(message, TERSE);
}
