// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* leftover: locks and temporaries of runs, and what became of them when a run died.
 *
 * Whoever makes a temporary holds a flock() on it for as long as it lives. So one that is not
 * locked has lost its owner. Any thread. */

/* Removes the files and folders in that folder whose name begins with prefix and ends with suffix
 * and that nobody holds. A missing folder is fine. */
MUST_CHECK int leftover_remove(const char *folder, const char *prefix, const char *suffix,
                               struct error *err);

/* Opens the file, made when missing, or the folder with O_DIRECTORY in flags, and locks it.
 * Returns a descriptor whose path still leads to it; -1 and errno, EWOULDBLOCK when somebody else
 * holds it. To give it up, remove the name first, then close. */
int leftover_lock(const char *path, int flags);
