// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "pod/container.h"
#include "pod/node.h"
#include "pod/sandbox.h"

/* exit_monitor: how berthd learns that a container or a shim has ended.
 *
 * Shims publish exit records as files in <state>/exits; inotify tells of new ones, and a look at
 * the file is always the truth, so a missed or doubled word does no harm. A pidfd tells of a shim's
 * end; its containers are then ended too. */

/* Watches the folder from now on. Before loop_run(). */
MUST_CHECK int exit_monitor_start(struct node *n, struct error *err);

/* Handles a container's exit record if there is one: status EXITED with its code and reason, the
 * stopped latch, the event. While the container is starting it does nothing: StartContainer looks
 * itself when it is done. Any thread. */
void exit_monitor_check(struct container *c);

/* The same for who has claimed the container, starting or not. Any thread. */
void exit_monitor_check_claimed(struct container *c);

/* Watches the pidfd of the pod's shim. Any thread. */
void exit_monitor_watch_shim(struct sandbox *s);

/* What happens when it is found that the shim is no more: the containers that it kept are killed
 * and become EXITED, the pod NOTREADY. Any thread but the loop's. */
void exit_monitor_shim_gone(struct sandbox *s);

/* Ends what is left of a container whose shim is gone or does not answer, whatever its state:
 * processes, the OCI runtime's files, cgroups. Logs what does not go. */
void exit_monitor_end_orphan(struct container *c);

/* Opens the stopped latch. */
void exit_monitor_release(struct container *c);
