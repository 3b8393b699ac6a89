// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/call.h"
#include "shim/namespaces.h"
#include "shim/oom_ledger.h"
#include "shim/reaper.h"

/* pod: the pod this shim is for: its namespaces, its init if it has one, its containers.
 *
 * Limits: POD_TASKS_MAX containers, POD_EXECS_MAX execs in all of them. */
enum { POD_TASKS_MAX = 256, POD_EXECS_MAX = 1024 };

enum pod_state { POD_NEW, POD_READY, POD_STOPPING, POD_STOPPED };

struct shim;
struct task;

struct pod {
    struct shim *shim;
    char *id;
    enum pod_state state;
    struct reaper_child init; /* init.pid is 0 without a PID namespace of the pod */
    bool has_userns;          /* pinned at NAMESPACES_USER */
    int exits;                /* folder of exit records; -1: none are written */
    int64_t created_ns;
    int64_t stopped_ns;
    bool is_to_exit; /* once it is stopped */
    struct list tasks;
    struct oom_ledger ooms;
    size_t n_tasks;
    size_t n_execs;
    struct list stoppers; /* calls to be answered when everything has ended */
    struct list waiters;
    struct list closers; /* likewise, before the shim ends */
};

void pod_init(struct pod *p, struct shim *shim, const char *id);

MUST_CHECK int pod_create(struct pod *p, const struct namespaces_spec *spec, const char *exits_dir,
                          struct error *err);

/* Kills everything in the pod; pod_check_stopped() sees when it is done. */
void pod_stop(struct pod *p);

/* To be called whenever a task has ended or is gone. */
void pod_check_stopped(struct pod *p);

struct task *pod_find_task(const struct pod *p, const char *id); /* or NULL */

/* The init, or the shim where the pod has none. */
pid_t pod_pid(const struct pod *p);
