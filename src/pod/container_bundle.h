// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>
#include <json-c/json.h>

#include "base/error.h"
#include "pod/container.h"

/* container_bundle: a container's folders: the OCI bundle with config.json below the pod's folder,
 * and upper, work and volumes below <root>/containers. With a user namespace of the pod, what is
 * in upper and volumes belongs to the ids that the container's have on the node. Any thread. */

/* Resolves the user, fills the image's VOLUMEs, builds and stores the specification. Sets c->user.
 * What was made stays on failure, for container_bundle_remove(). */
MUST_CHECK int container_bundle_create(struct container *c,
                                       const Runtime__V1__PodSandboxConfig *pod_config,
                                       struct json_object *image_config, struct error *err);

/* The stored specification; the caller puts it away. */
MUST_CHECK struct json_object *container_bundle_load_spec(const struct container *c,
                                                          struct error *err);
MUST_CHECK int container_bundle_store_spec(const struct container *c, struct json_object *spec,
                                           struct error *err);

/* Makes the writable layer mountable again after a start that was cut off before anything ran. */
MUST_CHECK int container_bundle_reset(const struct container *c, struct error *err);

/* Removes all of it; what cannot be removed is logged and left to the next start. */
void container_bundle_remove(const struct container *c);
