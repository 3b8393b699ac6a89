// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <dirent.h>

/* dir: a folder that is read, and closed at the end of the scope: AUTO_CLOSEDIR DIR *dir = …
 * Any thread. */
#define AUTO_CLOSEDIR __attribute__((cleanup(dir_auto)))

static inline void dir_auto(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}
