// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

/* watch: tells when a folder of configuration files changed (inotify).
 *
 * A file counts once it is complete: closed after writing, moved in or out, linked, removed. The
 * folder is made when it is not there, again when somebody removes it. One thread. */

/* -1 when it cannot be watched. */
int watch_open(const char *dir);

/* Takes what is there to read; true when files may have changed. */
bool watch_take(int fd, const char *dir);
