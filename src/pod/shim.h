// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "os/deadline.h"
#include "pod/container.h"
#include "pod/sandbox.h"

/* shim: what berthd asks of a pod's shim, one function a request.
 *
 * Every call is a connection of its own, so a restarted berthd just calls. Any thread. The protocol
 * is containerd's task and sandbox services with the options of api/shim.proto. */

/* Starts the shim of a pod, with its socket bound in the pod's folder. Sets shim_pid, shim_start
 * and shim_pidfd of the sandbox, which is in no map yet. */
MUST_CHECK int shim_start(struct sandbox *s, struct error *err);

/* CreateSandbox and StartSandbox: namespaces, sysctls, loopback device, /dev/shm, init. */
MUST_CHECK int shim_create_sandbox(struct sandbox *s, const struct deadline *by, struct error *err);

/* Ends every process of the pod and waits for the exit records. A shim that is gone counts as
 * done. */
MUST_CHECK int shim_stop_sandbox(struct sandbox *s, const struct deadline *by, struct error *err);

/* Ends the shim itself: asks it, and kills it when it does not answer. */
void shim_shutdown(struct sandbox *s);

/* Create and Start of a container. Create gives the pid of its init. */
MUST_CHECK int shim_create(struct container *c, const struct deadline *by, pid_t *out_pid,
                           struct error *err);
MUST_CHECK int shim_start_container(struct container *c, const struct deadline *by,
                                    struct error *err);

/* Whether the container's process was started and has not ended. ERROR_NOT_FOUND: the shim does not
 * know it. */
MUST_CHECK int shim_state(struct container *c, const struct deadline *by, bool *out_runs,
                          pid_t *out_pid, struct error *err);

/* Signals init; with all, everything in the container. ERROR_NOT_FOUND when it has ended. */
MUST_CHECK int shim_kill(struct container *c, int signal, bool all, struct error *err);

/* Makes the shim forget a container that is created or stopped. */
MUST_CHECK int shim_delete(struct container *c, const struct deadline *by, struct error *err);

MUST_CHECK int shim_reopen_log(struct container *c, const struct deadline *by, struct error *err);

/* Applies OCI linux.resources, JSON, to a running container. */
MUST_CHECK int shim_update(struct container *c, struct json_object *resources,
                           const struct deadline *by, struct error *err);

/* An exec: process is OCI JSON; fds become its stdin, stdout and stderr (-1: none). */
struct shim_exec {
    struct container *container;
    const char *exec_id;
    struct json_object *process;
    int fds[3];
};
MUST_CHECK int shim_exec_start(const struct shim_exec *x, const struct deadline *by,
                               struct error *err);

/* Waits until a container ends, or with an exec id, that exec. */
MUST_CHECK int shim_wait(struct container *c, const char *exec_id, const struct deadline *by,
                         int *out_status, struct error *err);

void shim_exec_kill(const struct shim_exec *x);
/* Kills it if it runs, waits, and makes the shim forget it. */
void shim_exec_end(const struct shim_exec *x);

/* When its process started, in clock ticks since boot: with the pid, who it is. 0: there is none.
 */
uint64_t shim_start_time(pid_t pid);
