// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "os/deadline.h"

/* features: what an OCI runtime says it can do ("runc features").
 *
 * A runtime without that command leaves known false and everything else false, which means "not
 * told". A value; any thread. */
struct oci_features {
    bool known;
    bool recursive_read_only; /* the mount option rro, and a kernel that has mount_setattr() */
    bool user_namespaces;
    bool idmapped_mounts;
    bool seccomp;
    bool apparmor;
    bool selinux;
    bool cgroup_v1;
    bool cgroup_v2;
    bool systemd_cgroups;
};

/* Runs it for at most five seconds. A runtime that cannot be run at all is an error. */
MUST_CHECK int oci_features_load(const char *runtime_path, const struct deadline *by,
                                 struct oci_features *out, struct error *err);

/* The parser of the above alone. */
MUST_CHECK int oci_features_parse(const char *text, size_t len, struct oci_features *out,
                                  struct error *err);
