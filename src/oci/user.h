// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cri.pb-c.h"

/* user: who a container's process runs as.
 *
 * Names are looked up in etc/passwd and etc/group of the container's root, whose links do not lead
 * out of it; both files are regular and of at most 10 MiB. Memory of the caller; any thread. */
struct oci_user {
    uint32_t uid;
    uint32_t gid;
    uint32_t *groups; /* additional ones, sorted, each once; the primary one is among them */
    size_t n_groups;
    char *name; /* as etc/passwd has it, or NULL */
};

/* root_fd is the container's root as it will see it, possibly O_PATH; image_user is the User of
 * the image's configuration, may be "" or NULL. ERROR_INVALID names the field that is wrong. */
MUST_CHECK int oci_user_resolve(int root_fd, const Runtime__V1__ContainerConfig *config,
                                const char *image_user, struct oci_user *out, struct error *err);
void oci_user_fini(struct oci_user *u);
