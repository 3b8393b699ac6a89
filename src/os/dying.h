// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <sys/types.h>

/* dying: processes that have ended but for a system call.
 *
 * Not even SIGKILL ends a thread that waits for a disk or a file server that does not answer. Until
 * it does, its process keeps its descriptors and locks, and yet it is as good as dead: none of its
 * threads runs a program any more. Any thread. */

/* False also where there is no such process, or none that can be seen. */
bool dying_is(pid_t pid);

/* Whether that is what /proc/<pid>/task/<tid>/stat says of a thread that runs no program any more:
 * it has ended, is about to, or has SIGKILL before it. */
bool dying_is_stat(const char *stat);
