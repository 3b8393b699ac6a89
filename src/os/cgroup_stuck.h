// SPDX-License-Identifier: Apache-2.0
#pragma once

/* cgroup_stuck: what keeps a group of processes from ending, for the log and the client.
 *
 * path is below the hierarchies, such as "/berth/<id>". Tells of a process in uninterruptible sleep
 * if there is one, and else of any: "process 12 (stat) is in state D, in request_wait_answer".
 * NULL when nobody is in the group; the caller frees. Any thread. */
char *cgroup_stuck(const char *path);
