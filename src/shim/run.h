// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/identity.h"
#include "base/list.h"
#include "base/strv.h"
#include "shim/reaper.h"
#include "shim/rootfs.h"

/* run: one run of the OCI runtime, from fork to the reading of its log.
 *
 * It goes on beside everything else; its owner is told once of its end. A run that takes too long
 * is killed. */

/* A sealed copy of an OCI runtime's binary; see os/sealed.h. It runs in place of the binary for as
 * long as that is the file it is a copy of. */
struct run_copy {
    int fd; /* -1: none */
    char *path;
    struct identity of;
};

/* What all runs have in common. */
struct run_context {
    struct poller *poller;
    struct reaper *reaper;
    struct list runs;
    struct run_copy copy;
    struct rlimit files;   /* RLIMIT_NOFILE as the shim found it, for the runtime */
    char oom_score_adj[8]; /* likewise, but 0 instead of less; "": unknown */
};

struct run_spec {
    const void *group;   /* for run_kill_group() */
    const char *runtime; /* path of the binary */
    const char *root;    /* its --root */
    bool has_systemd_cgroup;
    const char *log;                   /* file for its log, removed afterwards */
    const struct strv *verb;           /* the verb and its arguments */
    int stdio[3];                      /* -1: /dev/null; RUN_REPORT: quoted in the failure */
    const struct rootfs_mount *mounts; /* made in a mount namespace of its own; NULL: none */
    size_t n_mounts;
    const char *target; /* where those are mounted that do not say it */
    int64_t timeout_ns;
};

enum { RUN_REPORT = -2, RUN_ARGUMENTS_MAX = 32 };

/* failure is NULL when the runtime exited with 0; its words begin with "OCI runtime <verb>
 * failed". Codes: ERROR_UNKNOWN, ERROR_DEADLINE. */
typedef void run_ended(void *owner, const struct error *failure);

/* The run frees itself after ended. What spec points at is only needed for the call. */
MUST_CHECK int run_start(struct run_context *context, const struct run_spec *spec, run_ended *ended,
                         void *owner, struct error *err);

/* Keeps the descriptor, which is taken, in place of the one before. */
void run_set_copy(struct run_context *context, const char *path, int fd, const struct identity *of);

/* SIGKILL for all runs of the group; ended is called as ever. */
void run_kill_group(struct run_context *context, const void *group);
