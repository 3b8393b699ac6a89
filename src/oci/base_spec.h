// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* base_spec: what an operator has all containers of a runtime handler given: a config.json with,
 * say, process.rlimits, hooks, or more mounts.
 *
 * It adds and never takes the place of anything: a member that a container's own specification has
 * stays, and of the mounts those come that are for no place that is taken. What is told apart from
 * pod to pod is not taken from it (see TOLD in base_spec.c). The tree is read by any thread and
 * changed by none. */
enum { BASE_SPEC_BYTES_MAX = 1024 * 1024 };

/* Does no I/O. The caller puts the tree away. */
MUST_CHECK struct json_object *base_spec_parse(const char *text, size_t len, struct error *err);

/* The same for a file. */
MUST_CHECK struct json_object *base_spec_load(const char *path, struct error *err);

/* A privileged container takes no seccomp filter and no profile from it. */
void base_spec_apply(struct json_object *base, bool privileged, struct json_object *spec);
