// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/strv.h"

/* idmapped: places of the node as a user namespace is to see them: what belongs to id 0 on disk
 * belongs there to the namespace's id 0, and so on; nothing is copied or changed on disk. It takes
 * Linux 5.12, 5.19 for the layers of an overlay, and a file system that knows it.
 *
 * userns is the path of a user namespace, /proc/<pid>/ns/user or where one is pinned. Any thread.
 */

enum {
    IDMAPPED_READ_ONLY = 1,
    IDMAPPED_RECURSIVE = 2, /* with what is mounted below it, whose ids stay as they are */
};

/* A detached mount of the folder or file at path; it goes with the descriptor. flags are those
 * above. Where it is not recursive it is private: nothing that is mounted on it shows at path.
 * ERROR_UNIMPLEMENTED: the file system cannot. */
MUST_CHECK int idmapped_open(const char *path, const char *userns, unsigned flags, int *out_fd,
                             struct error *err);

/* Mounts it, with what is mounted below it, at a path that is made for it, folders included. */
MUST_CHECK int idmapped_attach(const char *path, const char *userns, const char *at,
                               struct error *err);

/* Mounts the folder that all layers lie in at the folder at, read-only, and changes the paths of
 * the layers to lead there: one mount, however many layers. An overlay keeps what it needs of it,
 * so it can be unmounted as soon as that is made. There is at least one layer. */
MUST_CHECK int idmapped_attach_layers(struct strv *layers, const char *userns, const char *at,
                                      struct error *err);

/* Whether the folder can be seen so; the reason is in err. Starts a process for a moment. */
MUST_CHECK int idmapped_probe(const char *folder, struct error *err);
