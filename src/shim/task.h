// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/container_cgroup.h"
#include "shim/proc.h"
#include "shim/run.h"

/* task: one container while it has a process, in the words of the task service.
 *
 *   STARTING ─▶ CREATED ─▶ RUNNING ◀─▶ PAUSED
 *       │          └──────────┴───────────┴─▶ ENDED ─▶ STOPPED ─▶ deleted
 *       └─▶ gone, when the OCI runtime refuses
 *
 * The states are those of its first process. What lies between ENDED and STOPPED is in
 * task_end.c. Every verb that runs the OCI runtime keeps the call and answers it later. */
struct shim;

struct task {
    struct list link; /* of the pod */
    struct shim *shim;
    struct proc init;
    char *bundle;
    char *runtime;
    char *runtime_root;
    char *cgroup_path;
    bool has_systemd_cgroup;
    bool has_shared_pid; /* its processes outlive its first one, unless they are killed */
    uid_t io_uid;        /* owners of the pipes of its processes, as streams_spec has them */
    gid_t io_gid;
    struct container_cgroup cgroup;
    struct list execs;
    size_t n_runs;    /* of the OCI runtime, and execs that enter, under way for it */
    bool is_starting; /* one of them is start */
    bool was_started; /* it succeeded: the exit is one that somebody wants to know */
    bool is_to_end;   /* as soon as there is something to kill */
    bool is_deleting; /* the last run, after its end */
    bool was_killed;  /* by the order of a client */
    bool saw_oom;
    int64_t ended_ns; /* monotonic */
    int64_t empty_ns; /* since when its cgroup is known to be empty; 0: it is not */
    int64_t tick_ms;
    struct poller_timer tick;
    struct list deleters; /* calls to be answered, and the task freed, once it is stopped */
};

struct task_spec {
    const char *id;
    const char *bundle;
    const char *runtime;
    const char *runtime_root;
    const char *cgroup; /* its path below the hierarchies; "": where its first process is found */
    bool has_systemd_cgroup;
    bool has_shared_pid;
    bool is_to_start; /* it is created and started at once: STARTING becomes RUNNING */
    struct streams_spec stdio;
    const struct rootfs_mount *mounts;
    size_t n_mounts;
};

/* -1 when nothing was begun; otherwise the call is answered later. This holds for all verbs that
 * take a call. */
MUST_CHECK int task_create(struct shim *s, const struct task_spec *spec, struct call *call,
                           struct error *err);
MUST_CHECK int task_start(struct task *t, struct call *call, struct error *err);
MUST_CHECK int task_pause(struct task *t, struct call *call, struct error *err);
MUST_CHECK int task_resume(struct task *t, struct call *call, struct error *err);
/* json is given to the runtime's update --resources. */
MUST_CHECK int task_update(struct task *t, const void *json, size_t len, struct call *call,
                           struct error *err);
/* Waits for the end of one that is ending, kills one that was never started. */
MUST_CHECK int task_end_and_delete(struct task *t, struct call *call, struct error *err);

/* all: every process of the container. */
MUST_CHECK int task_kill(struct task *t, int signal, bool all, struct error *err);

/* A task in state STARTING, in the pod; for task_create(). */
MUST_CHECK struct task *task_new(struct shim *s, const struct task_spec *spec);
/* Out of the pod and freed: nothing of it runs any more. */
void task_remove(struct task *t);

/* Kills it for good, now or as soon as it exists. */
void task_end(struct task *t);

/* Goes on with what follows from the end of its first process, if it has ended and nothing is in
 * the way; to be called whenever something may have got out of the way. */
void task_end_advance(struct task *t);

/* A run of the OCI runtime for the container, for the files of this noun and exec.c. The caller
 * fills in the verb, stdio, mounts and the time. */
MUST_CHECK int task_run(struct task *t, struct run_spec *spec, run_ended *ended, void *owner,
                        struct error *err);
