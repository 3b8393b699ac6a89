// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* stray: what an OCI runtime leaves at work when its run is killed.
 *
 * A runtime makes the container in a helper that it forks, and which knows nothing of the death of
 * the run: it would go on and make a container that nobody asks for any more. Helpers are found by
 * their command line, which they have from the run: "--root <root>", and the container's id as the
 * last word. So has the container's first process, until it executes its program; and so has a run
 * that deletes, which is spared. Any thread. */

/* SIGKILL for all of them, until none is seen. False: they do not go. They do nothing any more
 * then, either, but for the system call that they are in. */
bool stray_end(const char *root, const char *id);

/* Whether that is a command line, as /proc has it, of such a process. */
bool stray_is(const char *cmdline, size_t len, const char *root, const char *id);
