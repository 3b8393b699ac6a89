// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/buf.h"
#include "base/error.h"
#include "oci/features.h"

/* container_entry: an exec in words that need no OCI runtime: berth.shim.v1.Entry.
 *
 * It is made of what the container's config.json and the exec's process say, and of nothing else.
 * Whatever is not known here, be it a member of the process, a kind of namespace or an annotation
 * for the runtime, is a case for the runtime. Pure; any thread. */
struct container_entry_spec {
    const char *container_id;
    enum oci_family family; /* of the runtime that made it */
    struct json_object *config;
    struct json_object *process;
};

/* Whether a program of that family and path keeps containers as this needs it. Some are more than
 * they say: crun is a virtual machine when it is called krun. */
bool container_entry_is_for(enum oci_family family, const char *runtime_path);

/* Appends it, packed. -1: the runtime is to do it, because of err. */
MUST_CHECK int container_entry_pack(const struct container_entry_spec *spec, struct buf *out,
                                    struct error *err);
