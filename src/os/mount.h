// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* mount: what the daemon does with mounts itself. Any thread. */

/* Makes a folder a mount of its own whose mounts do not spread; nothing if it is one already. */
MUST_CHECK int mount_make_private(const char *path, struct error *err);

/* Takes away everything mounted on exactly that path, now or when the last user lets go. A path
 * that is missing or no mount is fine. */
MUST_CHECK int mount_detach(const char *path, struct error *err);

/* A descriptor of the folder through a mount that is read-only and nowhere in the file tree: what
 * is executed from below it can be written to through /proc/<pid>/exe by nobody, whatever a
 * container may do. The mount lasts as long as the descriptor and what runs from it; files that
 * take the place of others are seen. Linux 5.12. */
MUST_CHECK int mount_open_read_only(const char *folder, struct error *err);

/* True when something is mounted at that path; before Linux 5.8 it is not known, and false. */
bool mount_is_point(const char *path);

/* True when a namespace is pinned at that path. */
bool mount_is_namespace(const char *path);
