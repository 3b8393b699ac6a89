// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/stat.h>

#include "base/error.h"
#include "wire/tar.h"

/* metadata: owner, mode, times and extended attributes of an archive's entry, put on what was made
 * from it. Any thread.
 *
 * Attributes that only the host may set are left out: "trusted." (overlayfs keeps its own there),
 * "user.overlay." and SELinux labels. */

/* On an open file or folder. The order matters: chown drops capabilities and set-id bits. */
MUST_CHECK int metadata_apply_fd(int fd, const struct tar_entry *e, struct error *err);

/* On a name in an open folder, links not followed. */
MUST_CHECK int metadata_apply_at(int dir, const char *name, const struct tar_entry *e,
                                 struct error *err);

/* Access and modification time as utimensat() wants them: what is before 1970 or does not fit 64
 * bits of nanoseconds becomes 1970, and nothing was read before it was written. */
void metadata_times(const struct tar_entry *e, struct timespec out[static 2]);
