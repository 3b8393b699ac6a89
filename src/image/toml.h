// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"

/* toml: reads TOML 1.0 into a json-c tree, for the hosts.toml files that operators have.
 *
 * Members keep the order of the file: for a table, that of its first mention. Dates and times are
 * refused. Defining anything twice is an error. Any thread. */
enum { TOML_BYTES_MAX = 1 << 20, TOML_DEPTH_MAX = 32 };

/* Words begin with "line L, column C". */
MUST_CHECK struct json_object *toml_parse(const char *text, size_t len, struct error *err);
