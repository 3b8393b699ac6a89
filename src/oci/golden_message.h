// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

/* golden_message: for tests: a CRI message from a tree with the names of its fields, enums by name,
 * maps as objects. A name that the message does not have fails the test. Freed with message_free().
 */
static void *golden_message(const ProtobufCMessageDescriptor *type, struct json_object *from);

static inline int golden_enum(const ProtobufCEnumDescriptor *type, struct json_object *from)
{
    const ProtobufCEnumValue *value =
        json_str(from) ? protobuf_c_enum_descriptor_get_value_by_name(type, json_str(from)) : NULL;

    if (!value && json_str(from))
        fail_msg("%s has no value %s", type->name, json_str(from));
    return value ? value->value : json_object_get_int(from);
}

static inline void golden_bytes(ProtobufCBinaryData *to, const char *text)
{
    *to = (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)xstrdup(text)};
}

static inline void golden_value(const ProtobufCFieldDescriptor *field, struct json_object *from,
                                void *to)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)to = xstrdup(json_str(from) ? json_str(from) : json_text(from));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        golden_bytes(to, json_str(from));
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(void **)to = golden_message(field->descriptor, from);
        break;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)to = golden_enum(field->descriptor, from);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)to = json_object_get_boolean(from);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        *(int64_t *)to = json_object_get_int64(from);
        break;
    default:
        *(int32_t *)to = (int32_t)json_object_get_int64(from);
    }
}

static inline size_t golden_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return 8;
    default:
        return 4;
    }
}

static inline void *golden_entry(const ProtobufCMessageDescriptor *type, const char *key,
                                 struct json_object *value)
{
    JSON_AUTO *entry = json_object_new_object();

    json_add_str(entry, "key", key);
    json_add(entry, "value", json_object_get(value));
    return golden_message(type, entry);
}

/* A list, or an object for a map. */
static inline void golden_repeated(const ProtobufCFieldDescriptor *field, struct json_object *from,
                                   char *message)
{
    bool is_map = json_object_is_type(from, json_type_object);
    size_t n = is_map ? (size_t)json_object_object_length(from) : json_len(from), i = 0;
    char *items = xcalloc(n + 1, golden_size(field));

    *(void **)(message + field->offset) = items;
    *(size_t *)(message + field->quantifier_offset) = n;
    for (; !is_map && i < n; i++)
        golden_value(field, json_at(from, i), items + i * golden_size(field));
    if (!is_map)
        return;
    json_object_object_foreach(from, key, value)
    {
        ((void **)items)[i++] = golden_entry(field->descriptor, key, value);
    }
}

static void *golden_message(const ProtobufCMessageDescriptor *type, struct json_object *from)
{
    char *message = xcalloc(1, type->sizeof_message);

    type->message_init((ProtobufCMessage *)message);
    if (!from)
        return message;
    json_object_object_foreach(from, key, value)
    {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(type, key);

        if (!field)
            fail_msg("%s has no field %s", type->name, key);
        else if (field->label == PROTOBUF_C_LABEL_REPEATED)
            golden_repeated(field, value, message);
        else
            golden_value(field, value, message + field->offset);
    }
    return message;
}
