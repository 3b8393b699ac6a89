// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <sys/types.h>

/* cgroup_procs: the processes of one cgroup, without those of the groups below it.
 *
 * group is its folder, which is in one hierarchy. A list of pids is old as soon as it is there: who
 * was in it may have ended, and the number be a stranger's. Processes that our PID namespace does
 * not have, and its first one, are left out. Any thread. */

/* Calls each for every process. A group that has just gone has none. */
void cgroup_procs_each(int group, void (*each)(void *data, pid_t pid), void *data);

/* Signals every process, and nobody else: each is held by a descriptor, and signalled if the group
 * still has it then. Returns how many there were; more may have come up meanwhile. */
size_t cgroup_procs_signal(int group, int signal);
