// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* sandbox: what a process of berth-image can still reach once it reads what strangers send.
 *
 * One of them talks to registries and may write nowhere; the other one unpacks, and may write where
 * layers are and talk to nobody. Each is behind several fences, so that a hole in one is none in
 * the whole: a mount namespace that has nothing but the paths named here, Landlock over those
 * paths where the kernel has it, the capabilities that are needed (privilege.h), and a list of the
 * system calls that are. For the whole process, before any other thread; there is no way back. */
struct sandbox_path {
    const char *path; /* absolute; what does not exist is left out */
    bool writable;
};

struct sandbox {
    const struct sandbox_path *paths;
    size_t n_paths;
    bool network; /* it talks to registries; otherwise it unpacks */
};

enum { SANDBOX_PATHS_MAX = 128 };

/* All fences. A process that then does something that is not allowed gets EACCES, EPERM or ENOENT,
 * or, for a system call that is not on the list, ends with an "error" event that names the call. */
MUST_CHECK int sandbox_enter(const struct sandbox *s, struct error *err);
