// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* mountinfo: the mount of this process's namespace that a path is on. Any thread. */
struct oci_mountinfo {
    char *mount_point;
    char *super_options; /* comma-separated */
    bool shared;         /* mounts below it spread to its peers */
    bool slave;          /* and come from its master */
};

/* path is absolute and without links. Needs oci_mountinfo_fini(). */
MUST_CHECK int oci_mountinfo_find(const char *path, struct oci_mountinfo *out, struct error *err);
void oci_mountinfo_fini(struct oci_mountinfo *m);
