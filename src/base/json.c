// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <limits.h>

#include "base/own.h"

void json_auto(struct json_object **tree)
{
    json_object_put(*tree);
}

struct json_object *json_parse(const char *text, size_t len, struct error *err)
{
    struct json_tokener *parser = json_tokener_new_ex(JSON_DEPTH_MAX);
    struct json_object *tree = NULL;

    if (!parser)
        abort();
    json_tokener_set_flags(parser, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    if (len > INT_MAX) {
        error_set(err, ERROR_EXHAUSTED, "JSON of %zu bytes", len);
    } else {
        tree = json_tokener_parse_ex(parser, text, (int)len);
        /* A bare number or literal is complete only when the parser sees that nothing follows. */
        if (!tree && json_tokener_get_error(parser) == json_tokener_continue)
            tree = json_tokener_parse_ex(parser, "", 1);
        if (!tree)
            error_set(err, ERROR_INVALID, "JSON at byte %zu: %s",
                      json_tokener_get_parse_end(parser),
                      json_tokener_error_desc(json_tokener_get_error(parser)));
    }
    json_tokener_free(parser);
    return tree;
}

struct json_object *json_get(struct json_object *object, const char *key)
{
    struct json_object *member = NULL;

    if (!object || !json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, key, &member);
    return member;
}

const char *json_str(struct json_object *value)
{
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

const char *json_get_str(struct json_object *object, const char *key)
{
    return json_str(json_get(object, key));
}

bool json_get_flag(struct json_object *object, const char *key, bool otherwise)
{
    struct json_object *member = json_get(object, key);

    return json_object_is_type(member, json_type_boolean) ? json_object_get_boolean(member)
                                                          : otherwise;
}

int64_t json_get_int(struct json_object *object, const char *key, int64_t otherwise)
{
    struct json_object *member = json_get(object, key);

    return json_object_is_type(member, json_type_int) ? json_object_get_int64(member) : otherwise;
}

size_t json_len(struct json_object *array)
{
    return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

struct json_object *json_at(struct json_object *array, size_t i)
{
    return i < json_len(array) ? json_object_array_get_idx(array, i) : NULL;
}

void json_add(struct json_object *to, const char *key, struct json_object *taken)
{
    int failed = key ? json_object_object_add(to, key, taken) : json_object_array_add(to, taken);

    if (failed)
        abort();
}

void json_add_str(struct json_object *to, const char *key, const char *text)
{
    json_add(to, key, json_object_new_string(text));
}

void json_add_int(struct json_object *to, const char *key, int64_t value)
{
    json_add(to, key, json_object_new_int64(value));
}

void json_add_uint(struct json_object *to, const char *key, uint64_t value)
{
    json_add(to, key, json_object_new_uint64(value));
}

void json_add_flag(struct json_object *to, const char *key, bool value)
{
    json_add(to, key, json_object_new_boolean(value));
}

struct json_object *json_add_object(struct json_object *to, const char *key)
{
    struct json_object *object = json_object_new_object();

    json_add(to, key, object);
    return object;
}

struct json_object *json_add_array(struct json_object *to, const char *key)
{
    struct json_object *array = json_object_new_array();

    json_add(to, key, array);
    return array;
}

const char *json_text(struct json_object *tree)
{
    return json_object_to_json_string_ext(tree,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}
