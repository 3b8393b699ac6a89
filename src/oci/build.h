// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cri.pb-c.h"
#include "oci/cdi_edits.h"
#include "oci/spec.h"

/* build: a specification in the making. oci_spec_build() takes the steps below in their order; each
 * adds its part and may use what the earlier ones found out. Lives on the stack of that call. */
struct build {
    const struct oci_input *in;
    const Runtime__V1__LinuxContainerSecurityContext *security; /* never NULL */
    bool privileged;
    uint64_t capabilities; /* the bounding set, once it is chosen */
    struct cdi_edits cdi;  /* what the devices that are asked for by name need */

    struct json_object *spec;
    struct json_object *process; /* these two are inside spec */
    struct json_object *linux;
};

MUST_CHECK int oci_process_add(struct build *b, struct error *err);
MUST_CHECK int oci_capabilities_add(struct build *b, struct error *err);
MUST_CHECK int oci_namespaces_add(struct build *b, struct error *err);
MUST_CHECK int oci_resources_add(struct build *b, struct error *err);
MUST_CHECK int oci_classes_add(struct build *b, struct error *err); /* after resources */
MUST_CHECK int oci_devices_add(struct build *b, struct error *err); /* after resources */
MUST_CHECK int oci_cdi_add(struct build *b, struct error *err);     /* all but its mounts */
MUST_CHECK int oci_mounts_add(struct build *b, struct error *err);
MUST_CHECK int oci_selinux_add(struct build *b, struct error *err);
MUST_CHECK int oci_apparmor_add(struct build *b, struct error *err);
MUST_CHECK int oci_seccomp_add(struct build *b, struct error *err); /* after capabilities */
MUST_CHECK int oci_annotations_add(struct build *b, struct error *err);
