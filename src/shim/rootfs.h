// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"

/* rootfs: mounts a container's root file system and what its volumes need, in the mount namespace
 * of the caller. The option "idmap" asks for the ids of the pod's user namespace.
 *
 * Runs in a child that ends or becomes the OCI runtime: on failure nothing is undone. */
enum { ROOTFS_LAYERS_MAX = 500 };

struct rootfs_mount {
    const char *type; /* overlay, bind, or any other that mount(2) takes */
    const char *source;
    char *const *options; /* as in fstab */
    size_t n_options;
    const char *userns; /* where the pod's user namespace is; NULL: it has none */
    const char *target; /* absolute; NULL: where the root file system goes */
};

/* An overlay's layers may be more than mount(2) has room for: with the new mount interface each
 * is given by itself, on older kernels by the number of a descriptor. However many there are, one
 * mount maps the ids of all. The upper folder is not mapped: what a container writes belongs on
 * disk to the ids that it has on the node. For a bind with mapped ids the target is made. */
MUST_CHECK int rootfs_mount(const struct rootfs_mount *m, const char *target, struct error *err);
