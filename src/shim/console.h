// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* console: the socket through which the OCI runtime hands over the terminal it has made.
 *
 * It is made in the pod's folder, the shim's working directory; the path that the runtime gets
 * goes by way of /proc, because a pod's path may be too long for a socket's address. */
enum { CONSOLE_PATH_SIZE = 64 };

struct console {
    int listener; /* -1: none */
    char name[32];
    char path[CONSOLE_PATH_SIZE]; /* for --console-socket */
};

MUST_CHECK int console_open(struct console *c, struct error *err);

/* After the runtime has succeeded: returns the master of the terminal, close-on-exec. */
MUST_CHECK int console_take(struct console *c, struct error *err);

/* Removes the socket; nothing happens when there is none. */
void console_close(struct console *c);

/* Sets the size of a terminal. */
MUST_CHECK int console_resize(int master, unsigned width, unsigned height, struct error *err);
