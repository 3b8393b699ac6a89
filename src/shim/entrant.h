// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "shim.pb-c.h"

/* entrant: the process of an exec, from the fork in the shim to the program, without the OCI
 * runtime: what runs in the children.
 *
 * They are two. The guide is a fork of the shim: it goes into the container's cgroups and
 * namespaces, and forks once more, as a PID namespace takes only who is born in it. That one is
 * the entrant: it becomes who it is to be, and then the program. So nobody in the container sees a
 * process that has the node's root folder or a descriptor of the node.
 *
 * Until the program runs they are more powerful than anything in the container, and containers are
 * hostile. So neither can be looked into (PR_SET_DUMPABLE) but by who may trace everybody, which
 * the OCI runtimes cannot help either; /proc/<pid>/exe is the shim's program behind a read-only
 * mount, see pod/shim.c; and everything is closed before the container is entered but the standard
 * streams, which are the container's, and the report.
 *
 * The other threads of the shim do not exist in its fork, and may have held any lock: all is made
 * ready before, and here are system calls only. Those that change ids are made directly, because
 * the C library would tell the threads.
 *
 * They tell how far they have come through a pair of sockets, where the kernel adds which process
 * says so. The program starts where the report ends after ENTRANT_IS_READY; a report that ends
 * without it, or with another step behind it, is one of a failure, and the program has not run. */
enum entrant_step {
    ENTRANT_IS_THERE, /* from the entrant: it exists */
    ENTRANT_IS_READY, /* nothing is left but execve() */
    ENTRANT_HIDDEN,   /* the steps that can fail */
    ENTRANT_STREAMS,
    ENTRANT_CGROUPS,
    ENTRANT_OOM_SCORE,
    ENTRANT_APPARMOR,
    ENTRANT_LIMITS,
    ENTRANT_NAMESPACES,
    ENTRANT_USER_NAMESPACE,
    ENTRANT_FORK,
    ENTRANT_SESSION,
    ENTRANT_KEYRING,
    ENTRANT_HOME,
    ENTRANT_PROGRAM,
    ENTRANT_SECCOMP,
    ENTRANT_GROUPS,
    ENTRANT_OWNER,
    ENTRANT_BOUNDING,
    ENTRANT_USER,
    ENTRANT_CAPABILITIES,
    ENTRANT_PRIVILEGES,
    ENTRANT_FOLDER,
    ENTRANT_EXECUTE,
    ENTRANT_STEPS,
};

struct entrant_report {
    uint32_t step;
    int32_t error; /* errno */
};

enum { ENTRANT_HIERARCHIES_MAX = 32 };

struct entrant {
    const Berth__Shim__V1__Entry *entry;
    char **argv;
    char **envp;
    char **home; /* where in envp HOME is to be put, NULL: it is there */
    int stdio[3];
    int report;                         /* close-on-exec */
    int init;                           /* pidfd of the container's first process */
    int procs[ENTRANT_HIERARCHIES_MAX]; /* cgroup.procs to be written to */
    size_t n_procs;
    struct rlimit files;       /* RLIMIT_NOFILE where the entry has none */
    const char *oom_score_adj; /* "": as it is */
    struct sock_fprog seccomp; /* len 0: none */
};

/* All descriptors must be above 2. */
_Noreturn void entrant_guide(const struct entrant *e);
