// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stddef.h>

#include "base/error.h"

/* blockio: classes of block I/O: names that pods use for weights and limits of disks, which the
 * operator sets in a file:
 *
 *   Classes:
 *     slow:
 *     - Weight: 80
 *     - Devices: [/dev/vd*]
 *       ThrottleReadBps: 60M
 *
 * The file is YAML or JSON; letters of keys may be small or capital. Without devices a weight is
 * that of all devices. The tree that is made from it is read by any thread and changed by none. */
enum { OCI_BLOCKIO_FILE_MAX = 1024 * 1024 };

/* Does no I/O. The caller puts the tree away. */
MUST_CHECK struct json_object *oci_blockio_parse(const char *text, size_t len, struct error *err);

/* The same for a file. */
MUST_CHECK struct json_object *oci_blockio_load(const char *path, struct error *err);

/* Sets blockIO in linux.resources of a specification. classes may be NULL: there are none. Looks at
 * the devices of the host; patterns that fit no block device are an error. */
MUST_CHECK int oci_blockio_apply(struct json_object *classes, const char *name,
                                 struct json_object *resources, struct error *err);
