// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "os/mount.h"

bool program_is_unprotected;

static char *find_program(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *name = xstrndup(path, slash ? (size_t)(slash - path) : 0);
    struct error err;
    int folder;

    if (program_is_unprotected || !slash)
        return xstrdup(path);
    folder = mount_open_read_only(name, &err);
    if (folder < 0)
        _exit(97);
    return xasprintf("/proc/self/fd/%d%s", folder, slash);
}

_Noreturn void program_become(void)
{
    const char *path = getenv("BERTH_SHIM");

    execl(find_program(path), path, "-namespace", "k8s.io", "-id", "pod", "-address", "/nowhere",
          NULL);
    _exit(98);
}
