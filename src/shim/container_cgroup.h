// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"
#include "shim/oom_ledger.h"
#include "shim/poller.h"

/* container_cgroup: the cgroup that the OCI runtime made for a container, as the shim needs it:
 * to find all its processes, and to see whether the OOM killer was at work in it.
 *
 * Version 2, version 1, or both beside each other; it looks where they are usually mounted, below
 * /sys/fs/cgroup.
 *
 * In version 2 systemd may be the one who made the cgroup, and takes it away as soon as its last
 * process has ended, which is before the shim hears of that: see oom_ledger.h. */
struct container_cgroup {
    char *procs;   /* folder whose cgroup.procs lists the processes; NULL: not found */
    char *freezer; /* version 1 only */
    bool is_v2;
    struct oom_entry oom;
    struct poller *poller;
    struct poller_source watch; /* of what counts OOM kills, in version 2 */
    struct strv lists; /* version 1 only: container_cgroup_open_lists(), once it was called */
};

#define CONTAINER_CGROUP_NONE ((struct container_cgroup){.oom = OOM_ENTRY_NONE, .watch.fd = -1})

/* Before the container is made: that cgroup will be its own, and may be gone when it is opened. */
void container_cgroup_expect(struct container_cgroup *g, const char *path, struct oom_ledger *l);

/* The cgroup at that path below the hierarchies, or where it is "" or not there, the one that pid,
 * a process that nobody has reaped, or 0, is in; it is CONTAINER_CGROUP_NONE, or expected. Watched
 * by the poller, so that g stays where it is until it is closed. Not finding one is no failure: the
 * container then is like one whose cgroup is empty. */
void container_cgroup_open(struct container_cgroup *g, const char *path, pid_t pid,
                           struct poller *poller);
void container_cgroup_close(struct container_cgroup *g);

/* For version 2: the folder that a process can be born into: of the cgroup, or where that hands
 * its controllers on and so takes no processes, of the one below it that pid is in, which is the
 * container's first process. ERROR_NOT_FOUND. */
MUST_CHECK int container_cgroup_open_folder(const struct container_cgroup *g, pid_t pid,
                                            struct error *err);

/* For version 1: the lists of processes, one in each hierarchy where the container has a cgroup of
 * its own, to which a process writes that wants to be in it. Given is the path below the
 * hierarchies, or "", as above; pid that of the container's first process. The caller closes what
 * is in fds, also on failure. */
MUST_CHECK int container_cgroup_open_lists(struct container_cgroup *g, const char *given, pid_t pid,
                                           int *fds, size_t max, size_t *out_n, struct error *err);

/* True while it is frozen, or about to be: who comes to it would freeze as well. folder is the one
 * that is asked in version 2; else -1. */
bool container_cgroup_is_frozen(const struct container_cgroup *g, int folder);

/* True when the OOM killer killed in it; asked once, when its processes have ended. is_likely is
 * what to say where that may be, or another container of the pod is meant, that has gone too. */
bool container_cgroup_saw_oom(struct container_cgroup *g, bool is_likely);

/* Signals every process in it and in those below; SIGKILL reaches frozen ones too. Returns how
 * many processes there were. New ones may have come up meanwhile: repeat until 0. */
size_t container_cgroup_kill(const struct container_cgroup *g, int signal);

/* Calls each for every process. */
void container_cgroup_each(const struct container_cgroup *g, void (*each)(void *data, pid_t pid),
                           void *data);
bool container_cgroup_is_empty(const struct container_cgroup *g);
