// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <google/protobuf/any.pb-c.h>
#include <json-c/json.h>

#include "base/arena.h"
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

/* Creates and starts a container, by one run of the OCI runtime; gives the pid of its init, which
 * may have ended by then. */
MUST_CHECK int shim_run(struct container *c, const struct deadline *by, pid_t *out_pid,
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

/* Waits until a container ends, or with an exec id, that exec. */
MUST_CHECK int shim_wait(struct container *c, const char *exec_id, const struct deadline *by,
                         int *out_status, struct error *err);

/* From now on gives what the container writes to fds[1] and fds[2] and takes its stdin from fds[0]
 * (-1: none), beside the log, until the other ends are closed or the container has ended. The
 * shim gets copies. With stdin_once the end of this stdin is the end of the container's. */
MUST_CHECK int shim_attach(struct container *c, const int fds[3], bool stdin_once,
                           const struct deadline *by, struct error *err);

/* Sets the size of the terminal of a container or, with an exec id, of that exec. */
MUST_CHECK int shim_resize(struct container *c, const char *exec_id, uint16_t width,
                           uint16_t height, struct error *err);

/* One call of which only success matters; for shim_exec.c. */
MUST_CHECK int shim_call(struct sandbox *s, const char *service, const char *method,
                         const ProtobufCMessage *request, const struct deadline *by,
                         struct error *err);

/* JSON of the OCI runtime specification, such as a Process, as the task service wants it. */
Google__Protobuf__Any *shim_json_any(struct arena *a, const char *type, struct json_object *json);

/* When its process started, in clock ticks since boot: with the pid, who it is. 0: there is none.
 */
uint64_t shim_start_time(pid_t pid);
