// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/idmap.h"
#include "cri.pb-c.h"
#include "oci/features.h"

/* bind: a place of the node that a container sees at a place of its own. */

/* How far mounts must spread between the node and the container's root for what it binds. */
enum oci_bind_spread { OCI_BIND_PRIVATE, OCI_BIND_SLAVE, OCI_BIND_SHARED };

/* What it depends on beside the mount. */
struct oci_bind_context {
    const struct oci_features *features; /* or NULL */
    const char *userns;                  /* path of the pod's user namespace; NULL: it has none */
    const struct idmap *ids;             /* of it */
};

/* What can be told of it without looking at the host path. */
MUST_CHECK int oci_bind_check(const Runtime__V1__Mount *mount, const struct oci_features *features,
                              struct error *err);

/* The OCI mount of what the client asked for, which was checked: the host path is made when it is
 * missing, a folder then, and its links are followed. Raises *spread to what it needs. Whether the
 * file system can map ids is tried. */
MUST_CHECK struct json_object *oci_bind_asked_for(const Runtime__V1__Mount *mount,
                                                  const struct oci_bind_context *context,
                                                  enum oci_bind_spread *spread, struct error *err);

/* The OCI mount of a path of ours. */
struct json_object *oci_bind_ours(const char *destination, const char *source, bool readonly);
