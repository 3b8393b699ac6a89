// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "os/deadline.h"

/* features: what an OCI runtime says it can do ("runc features").
 *
 * What crun can do without that command, before 1.8.6, is known by its version. Any other runtime
 * without it leaves known false and everything else false, which means "not told". crun and runc
 * keep containers as processes of the node, in namespaces and cgroups; of others that is not known.
 * A value; any thread. */
enum oci_family { OCI_FAMILY_OTHER, OCI_FAMILY_CRUN, OCI_FAMILY_RUNC };

struct oci_features {
    bool known;
    enum oci_family family;   /* as its annotations or its version tell */
    bool recursive_read_only; /* the mount option rro, and a kernel that has mount_setattr() */
    bool user_namespaces;
    bool idmapped_mounts; /* uidMappings of a mount, and a kernel that has mount_setattr() */
    bool seccomp;
    bool apparmor;
    bool selinux;
    bool cgroup_v1;
    bool cgroup_v2;
    bool systemd_cgroups;
    bool net_devices; /* linux.netDevices of the specification 1.3 */
};

/* Runs it, twice when it has no such command, for at most five seconds. A runtime that cannot be
 * run at all is an error. */
MUST_CHECK int oci_features_load(const char *runtime_path, const struct deadline *by,
                                 struct oci_features *out, struct error *err);

/* The parsers of the above alone: of "features", and of "--version", which is false for a runtime
 * that is not known by its version. */
MUST_CHECK int oci_features_parse(const char *text, size_t len, struct oci_features *out,
                                  struct error *err);
MUST_CHECK bool oci_features_of_version(const char *text, struct oci_features *out);
