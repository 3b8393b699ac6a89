// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"

/* rdt: classes of cache and memory bandwidth (Intel RDT and its likes): groups that the operator
 * has made in the kernel's resctrl file system. Any thread. */

/* Sets intelRdt in the linux part of a specification. folder is where resctrl is mounted; without
 * it, or without a group of that name, it is an error. "system/default" is the group that everybody
 * is in. */
MUST_CHECK int oci_rdt_apply(const char *folder, const char *name, struct json_object *linux_part,
                             struct error *err);
