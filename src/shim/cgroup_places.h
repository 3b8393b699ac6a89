// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/strv.h"

/* cgroup_places: where a container is in the hierarchies of cgroups, version 2, version 1, or both
 * beside each other, where they are usually mounted: below /sys/fs/cgroup.
 *
 * It is where it was said to be, or where that is "" or not there, where its first process is.
 * What the shim is in as well is none of the container's. */
#define CGROUP_PLACES_TOP "/sys/fs/cgroup"

struct cgroup_places {
    const char *given; /* path below the hierarchies */
    struct buf theirs; /* /proc/<pid>/cgroup; empty when the process has ended */
    struct buf ours;
};

void cgroup_places_init(struct cgroup_places *p, const char *given, pid_t pid);
void cgroup_places_fini(struct cgroup_places *p);

/* The folder in the hierarchy that has the controller, "" for version 2, and is mounted there below
 * the top, such as "/memory"; NULL: it has none. The caller frees. */
char *cgroup_places_folder(const struct cgroup_places *p, const char *controller,
                           const char *mounted);

/* Version 1: the lists of processes, cgroup.procs, of all hierarchies in which the container is by
 * itself. ERROR_NOT_FOUND where one cannot be found. */
MUST_CHECK int cgroup_places_lists(const struct cgroup_places *p, struct strv *out,
                                   struct error *err);
