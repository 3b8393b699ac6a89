// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <protobuf-c/protobuf-c.h>

#include "base/error.h"

/* proto_json: messages as JSON. Any thread; the result is put away with json_object_put(). */

/* As protobuf's own JSON: lowerCamelCase names, 64 bit numbers as strings, enums by name, maps as
 * objects, bytes in base64. Fields with their default value are there too. */
MUST_CHECK struct json_object *proto_json_of(const ProtobufCMessage *message);

/* As programs in Go print the structures of these messages: the names of the .proto file, numbers
 * and enums as numbers, and nothing that has its default value. Readers of what crictl inspect
 * prints know it so. */
MUST_CHECK struct json_object *proto_json_terse(const ProtobufCMessage *message);
