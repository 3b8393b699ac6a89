// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>

#include "base/fd.h"

/* dir: a folder that is read, and closed at the end of the scope: AUTO_CLOSEDIR DIR *dir = …
 * Any thread. */
#define AUTO_CLOSEDIR __attribute__((cleanup(dir_auto)))

static inline void dir_auto(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

/* The entries of an open folder, whose descriptor stays the caller's; NULL with errno. */
static inline DIR *dir_of(int folder)
{
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (!dir)
        fd_close(&copy);
    return dir;
}
