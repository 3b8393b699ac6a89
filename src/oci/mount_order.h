// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

/* mount_order: the order in which a container's mounts are made: places with fewer parts first, so
 * that none hides another; those with as many stay as they are. */
void mount_order_sort(struct json_object *spec);
