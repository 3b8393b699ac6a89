// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* cdi_spec: one file of the Container Device Interface: a vendor's devices, and what a container
 * that is given one needs (the specification's version 1.1.0 and those before it).
 *
 * The parser does no I/O. What it gives is a tree with the names of the specification, in which
 * every member is known, of the right type, and allowed by the version that the file claims. Any
 * thread. */
enum { CDI_SPEC_BYTES_MAX = 4 * 1024 * 1024 };

/* is_yaml: YAML, else JSON. Words name the member that is wrong. */
MUST_CHECK struct json_object *cdi_spec_parse(const char *text, size_t len, bool is_yaml,
                                              struct error *err);

/* Whether text is the full name of a device: vendor.com/class=device. */
bool cdi_spec_is_device(const char *text);
