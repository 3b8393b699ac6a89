// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/resource.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "shim/container_cgroup.h"
#include "shim/entrant.h"

/* luggage: what an entrant needs, made ready before the fork, for there nothing can be made any
 * more. Lives as long as the call that forks. */
struct luggage_spec {
    const void *entry; /* a packed berth.shim.v1.Entry, from outside */
    size_t entry_len;
    pid_t init; /* the container's first process, a child of ours */
    struct container_cgroup *cgroup;
    const char *cgroup_path;   /* as container_cgroup_open() has it */
    const char *seccomp;       /* file of the program for seccomp, if the entry wants one */
    const int *stdio;          /* three; -1: /dev/null */
    struct rlimit files;       /* RLIMIT_NOFILE where the entry has none */
    const char *oom_score_adj; /* where the entry has none; "": as it is */
};

struct luggage {
    struct entrant e; /* report is -1 and for the caller to set; it is closed with the rest */
    Berth__Shim__V1__Entry *entry;
    struct buf seccomp;
    int cgroup; /* folder of version 2 that the guide is to be born into; -1: none */
};

#define LUGGAGE_NONE                                                                               \
    ((struct luggage){.e = {.stdio = {-1, -1, -1}, .report = -1, .init = -1}, .cgroup = -1})

/* Into one that was LUGGAGE_NONE. What is not as it should be is an error, and a case for the OCI
 * runtime: an entry that has a field which this shim does not know, a first process that has ended,
 * no program for seccomp. luggage_fini() also after a failure. */
MUST_CHECK int luggage_pack(struct luggage *l, const struct luggage_spec *spec, struct error *err);
void luggage_fini(struct luggage *l);
