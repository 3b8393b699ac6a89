// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"

/* toml_scalar: the leaves of TOML: strings, numbers and booleans, read at a cursor.
 *
 * The text has a NUL at end, and else only UTF-8 without control characters but tab and line ends:
 * see toml_scalar_check(). Only for toml.c. */
struct toml_cursor {
    const char *text;
    const char *at;
    const char *end;
};

/* "line L, column C: words" for where the cursor is. */
int toml_scalar_fail(const struct toml_cursor *c, struct error *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Checks the whole text for what the rest relies on. */
MUST_CHECK int toml_scalar_check(struct toml_cursor *c, struct error *err);

/* A string in any of the four notations, appended to out. Keys may not have several lines. */
MUST_CHECK int toml_scalar_string(struct toml_cursor *c, bool one_line, struct buf *out,
                                  struct error *err);

/* A number or boolean. */
MUST_CHECK struct json_object *toml_scalar_bare(struct toml_cursor *c, struct error *err);
