// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "base/idmap.h"
#include "cri.pb-c.h"

/* userns: what a client says of user namespaces (UserNamespace and IDMapping of CRI). Plain
 * computation; any thread. Failures have the code ERROR_INVALID and name the field and its value.
 */

/* NULL and mode NODE are none; mode POD is one range of users and one of groups, both from id 0 of
 * the container on. */
MUST_CHECK int oci_userns_parse(const Runtime__V1__UserNamespace *options, struct idmap *out,
                                struct error *err);

/* What a container says must be what its pod says, to the letter. Both may be NULL. */
MUST_CHECK int oci_userns_check_same(const Runtime__V1__UserNamespace *of_container,
                                     const Runtime__V1__UserNamespace *of_pod, struct error *err);

/* Whether a mount is to have exactly the ids of the pod's user namespace. The shim then mounts it
 * with them in the bundle, at OCI_USERNS_MAPPED/<its index in the config>, and the OCI runtime
 * binds that. Images are mounted with them anyway. */
#define OCI_USERNS_MAPPED "mapped"
bool oci_userns_is_of_mount(const struct idmap *ids, const Runtime__V1__Mount *mount);

/* Whether the mappings of a mount are just these ids. */
bool oci_userns_has_mappings(const struct idmap *ids, const Runtime__V1__Mount *mount);

/* Adds uidMappings and gidMappings, as the OCI specification has them, to an object. */
void oci_userns_add(struct json_object *to, const struct idmap *map);

/* The same for those of a mount, which may have several, but of both kinds. */
MUST_CHECK int oci_userns_add_of_mount(struct json_object *to, const Runtime__V1__Mount *mount,
                                       struct error *err);
