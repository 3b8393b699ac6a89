// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "shim/poller.h"

/* container_cgroup: the cgroup that the OCI runtime made for a container, as the shim needs it:
 * to find all its processes, and to see whether the OOM killer was at work in it.
 *
 * Version 2, version 1, or both beside each other; it looks where they are usually mounted, below
 * /sys/fs/cgroup.
 *
 * In version 2 systemd may be the one who made the cgroup, and takes it away as soon as its last
 * process has ended, which is before the shim hears of that. So the count of OOM kills is watched.
 * The kernel tells of it late when it has just told of another event; then what is left is the
 * count of the cgroup above, the pod's, which has those of all its containers. */
struct container_cgroup {
    char *procs;   /* folder whose cgroup.procs lists the processes; NULL: not found */
    char *freezer; /* version 1 only */
    bool is_v2;
    int oom_fd; /* the file that counts OOM kills; -1: none */
    bool saw_oom;
    int pod_oom_fd; /* version 2 only: of the cgroup above; -1: none, or it is not the pod's alone
                     */
    uint64_t pod_oom_kills_before;
    struct poller *poller;
    struct poller_source watch; /* of oom_fd, in version 2 */
};

#define CONTAINER_CGROUP_NONE                                                                      \
    ((struct container_cgroup){.oom_fd = -1, .pod_oom_fd = -1, .watch.fd = -1})

/* The cgroup at that path below the hierarchies, or where it is "" or not there, the one that pid,
 * a process that nobody has reaped, or 0, is in; watched by the poller, so that g stays where it is
 * until it is closed. Not finding one is no failure: the container then is like one whose cgroup is
 * empty. */
void container_cgroup_open(struct container_cgroup *g, const char *path, pid_t pid,
                           struct poller *poller);
void container_cgroup_close(struct container_cgroup *g);

/* True when the OOM killer killed in it. */
bool container_cgroup_saw_oom(struct container_cgroup *g);

/* True when it has gone, and the OOM killer killed in the pod since it was opened. */
bool container_cgroup_may_have_seen_oom(const struct container_cgroup *g);

/* Signals every process in it and in those below; SIGKILL reaches frozen ones too. Returns how
 * many processes there were. New ones may have come up meanwhile: repeat until 0. */
size_t container_cgroup_kill(const struct container_cgroup *g, int signal);

/* Calls each for every process. */
void container_cgroup_each(const struct container_cgroup *g, void (*each)(void *data, pid_t pid),
                           void *data);
bool container_cgroup_is_empty(const struct container_cgroup *g);
