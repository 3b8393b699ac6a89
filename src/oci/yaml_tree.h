// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"

/* yaml_tree: reads YAML into a json-c tree, so that one reader serves files in either language.
 *
 * Plain scalars become null, booleans, numbers (octal with 0 or 0o, hexadecimal with 0x) or texts;
 * quoted ones are texts. Aliases are followed. Tags and merge keys mean nothing; a key twice in one
 * mapping is an error. Only the first document counts; an empty one gives an empty
 * object. Any thread. */
enum { YAML_TREE_NODES_MAX = 200 * 1000, YAML_TREE_DEPTH_MAX = 32 };

/* The caller bounds len. Words begin with "line L". */
MUST_CHECK struct json_object *yaml_tree_parse(const char *text, size_t len, struct error *err);
