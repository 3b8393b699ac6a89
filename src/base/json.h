// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* json: json-c with limits, strictness and one way to ask.
 *
 * The tree is reference counted by json-c: JSON_AUTO drops a reference, json_add() gives one away.
 * The getters never fail: what is absent or of another type is as if it were not there, because
 * that is what clients' JSON decoders do. One thread at a time per tree. */

enum { JSON_DEPTH_MAX = 32 };

#define JSON_AUTO __attribute__((cleanup(json_auto))) struct json_object
void json_auto(struct json_object **tree);

/* Parses one value and nothing behind it. The caller bounds len. Returns NULL on failure; the
 * words begin with the position. */
MUST_CHECK struct json_object *json_parse(const char *text, size_t len, struct error *err);

/* The member, or NULL. A NULL object has no members. Borrowed. */
struct json_object *json_get(struct json_object *object, const char *key);

const char *json_get_str(struct json_object *object, const char *key); /* or NULL */
bool json_get_flag(struct json_object *object, const char *key, bool otherwise);
int64_t json_get_int(struct json_object *object, const char *key, int64_t otherwise);
size_t json_len(struct json_object *array);                       /* 0 when it is no array */
struct json_object *json_at(struct json_object *array, size_t i); /* borrowed */
const char *json_str(struct json_object *value);                  /* NULL when it is no string */

/* These add to an object (key) or to an array (key NULL). */
void json_add(struct json_object *to, const char *key, struct json_object *taken);
void json_add_str(struct json_object *to, const char *key, const char *text);
void json_add_int(struct json_object *to, const char *key, int64_t value);
void json_add_uint(struct json_object *to, const char *key, uint64_t value);
void json_add_flag(struct json_object *to, const char *key, bool value);

/* Adds an empty object or array and returns it, borrowed. */
struct json_object *json_add_object(struct json_object *to, const char *key);
struct json_object *json_add_array(struct json_object *to, const char *key);

/* Compact text, owned by the tree and valid until it changes. */
const char *json_text(struct json_object *tree);
