// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/idmap.h"

/* namespaces: those of a pod: made by a child of the shim, pinned as files below ns/ in the pod's
 * folder, which is the shim's working directory. With a PID namespace the child stays as its
 * first process; see init.h. A user namespace comes before the others, and owns them. */
#define NAMESPACES_USER "ns/user"

struct namespaces_sysctl {
    const char *name;
    const char *value;
};

struct namespaces_spec {
    const char *hostname; /* "" leaves the host's */
    bool has_net;         /* and UTS */
    bool has_ipc;
    bool has_pid;
    struct idmap ids; /* of the user namespace; all zero: none */
    const struct namespaces_sysctl *sysctls;
    size_t n_sysctls;
    uint64_t shm_bytes; /* size of shm/, when has_ipc; 0: 64 MiB */
};

/* Makes and pins them, and mounts shm/. out_init is the init's pid, 0 without has_pid: a child
 * that the caller watches and, in the end, kills. When it fails nothing of it is left. */
MUST_CHECK int namespaces_create(const struct namespaces_spec *spec, pid_t *out_init,
                                 struct error *err);

/* Unpins them and unmounts shm/. */
void namespaces_remove(void);

/* Unmounts shm/ only: the network outlives the containers until CNI has taken it down. */
void namespaces_remove_shm(void);
