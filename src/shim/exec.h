// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "shim/entering.h"
#include "shim/proc.h"
#include "shim/task.h"

/* exec: one more process in a running container. It belongs to its task.
 *
 *   NEW ─▶ STARTING ─▶ RUNNING ─▶ ENDED ─▶ STOPPED ─▶ deleted */
struct exec {
    struct list link; /* of the task */
    struct task *task;
    struct proc proc;
    struct buf process; /* until it was started: JSON for the OCI runtime, */
    struct buf entry;   /* and, where not empty, how the shim can do without */
    struct entering *entering;
    bool is_direct;            /* it could */
    bool is_to_end;            /* as soon as there is something to kill */
    bool is_orphan;            /* who tended it has gone: nobody else will remove it */
    struct list tender;        /* the call of who tends it, if somebody does */
    struct poller_timer drain; /* how long outputs may outlive it */
};

/* What it is: JSON for the OCI runtime, and perhaps a packed berth.shim.v1.Entry. */
struct exec_process {
    const void *json;
    size_t json_len;
    const void *entry;
    size_t entry_len;
};

/* Keeps the process until it is started. Its pipes get the owners that those of the container
 * have. ERROR_EXISTS; ERROR_INVALID when the process is empty or too long. */
MUST_CHECK int exec_create(struct task *t, const char *id, const struct streams_spec *stdio,
                           const struct exec_process *process, struct error *err);
struct exec *exec_find(const struct task *t, const char *id); /* or NULL */

/* Answers the call later, unless it returns -1. */
MUST_CHECK int exec_start(struct exec *x, struct call *call, struct error *err);

/* Answers the call when it has stopped, and removes it; kills and removes it when the call is lost
 * before. ERROR_EXISTS when somebody tends it already. */
MUST_CHECK int exec_tend(struct exec *x, struct call *call, struct error *err);

/* Both at once, for one that was just created: the call is answered when it has stopped or could
 * not be started. */
MUST_CHECK int exec_run(struct exec *x, struct call *call, struct error *err);

/* Kills it, now or as soon as it exists. */
void exec_end(struct exec *x);

/* True unless it is being started or has not stopped yet. */
bool exec_may_be_removed(const struct exec *x);
void exec_remove(struct exec *x);
