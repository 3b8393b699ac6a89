// SPDX-License-Identifier: Apache-2.0
#include "shim/null.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>

#include "base/fd.h"
#include "base/own.h"

static int null = -1;

void null_prepare(void)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
    char path[32];

    if (null >= 0)
        return;
    AUTO_CLOSE int tree = open_tree(AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    bool is_ours = tree >= 0 && mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) == 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", tree);
    null = open(is_ours ? path : "/dev/null", O_RDWR | O_CLOEXEC);
}

int null_open(void)
{
    char path[32];

    null_prepare();
    snprintf(path, sizeof path, "/proc/self/fd/%d", null);
    return open(path, O_RDWR | O_CLOEXEC);
}
