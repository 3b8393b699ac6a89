// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>

#include "base/error.h"

/* version: of the CNI specification, "major.minor.patch". Any thread. */

/* What a list speaks with us: the highest of its cniVersions that we know, else its cniVersion,
 * else 0.1.0. The caller frees; NULL when one is no version. */
MUST_CHECK char *version_choose(struct json_object *list, struct error *err);

/* False for what is no version. */
bool version_is_at_least(const char *text, unsigned major, unsigned minor);
