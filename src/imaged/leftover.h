// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* leftover: locks and temporaries of runs, and what became of them when a run died.
 *
 * Whoever makes a temporary holds a flock() on it for as long as it lives. So one that is not
 * locked has lost its owner. Any thread. */

/* Removes the files and folders in that folder whose name begins with prefix and ends with suffix
 * and that nobody holds. A missing folder is fine. */
MUST_CHECK int leftover_remove(const char *folder, const char *prefix, const char *suffix,
                               struct error *err);

/* Opens the file, made when missing and O_CREAT is in flags, or the folder, and locks it. Returns
 * a descriptor whose path still leads to it; -1 and errno, EWOULDBLOCK when somebody else holds it.
 * To give it up, remove the name first, then close. */
int leftover_lock(const char *path, int flags);

/* Opens and locks a file of ours, made when missing. While somebody else holds it this waits, and
 * lets that one know. ERROR_CANCELLED. */
MUST_CHECK int leftover_wait_lock(const char *path, struct error *err);

/* Whether somebody waits for the file, which we hold. */
bool leftover_is_awaited(int fd);

/* Makes and locks a temporary of its own name, which begins with prefix: a folder when mode has
 * S_IFDIR, else a file to write. Returns its descriptor and sets *out_path, the caller's to free.
 */
MUST_CHECK int leftover_new(const char *folder, const char *prefix, mode_t mode, char **out_path,
                            struct error *err);
