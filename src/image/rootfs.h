// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/idmap.h"
#include "base/strv.h"

/* rootfs: a container's root file system, an overlay of its image's layers and a folder of its own.
 *
 * Layers are paths of folders, lowest first; there is at least one. Any thread. */

/* Opens a read-only view of the layers as the container will see them, without a mount that
 * anybody else sees; it goes with the descriptor. */
MUST_CHECK int rootfs_open(const struct strv *layers, int *out_fd, struct error *err);

/* Mounts that view at target, an empty folder; as a user namespace sees it if userns, the path of
 * one, is not NULL. For that the folder
 * <target>.mapped comes and goes, with a mount on it. */
MUST_CHECK int rootfs_mount(const struct strv *layers, const char *userns, const char *target,
                            struct error *err);

/* The options of the overlay for the container: lowerdir, upperdir, workdir and what keeps it from
 * syncing. */
void rootfs_options(const struct strv *layers, const char *container_dir, struct strv *out);

/* Copies the folder at path inside root_fd, with owners, modes and extended attributes, into the
 * empty folder to; the owners are those of ids on the node. A path that is missing in the image
 * leaves it empty, but for its owner. For image VOLUMEs. */
MUST_CHECK int rootfs_copy_out(int root_fd, const char *path, const char *to,
                               const struct idmap *ids, struct error *err);
