// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <protobuf-c/protobuf-c.h>

#include "base/error.h"

/* proto_json: any message as protobuf's JSON: lowerCamelCase names, 64 bit numbers as strings,
 * enums by name, maps as objects, bytes in base64. Fields with their default value are there too.
 */
MUST_CHECK struct json_object *proto_json_of(const ProtobufCMessage *message);
