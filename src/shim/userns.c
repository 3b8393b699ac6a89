// SPDX-License-Identifier: Apache-2.0
#include "shim/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"

/* A map is taken in one write, and once. */
static int write_map(pid_t pid, const char *file, const struct idmap_range *ids, struct error *err)
{
    char path[64], text[64];
    int len = snprintf(text, sizeof text, "0 %u %u\n", ids->first, ids->count);

    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, (size_t)len) != len)
        return error_errno(err, errno, "map %u ids from %u on in %s of the user namespace",
                           ids->count, ids->first, file);
    return 0;
}

int userns_write_maps(pid_t pid, const struct idmap *ids, struct error *err)
{
    if (write_map(pid, "uid_map", &ids->uids, err) < 0 ||
        write_map(pid, "gid_map", &ids->gids, err) < 0)
        return -1;
    return 0;
}

int userns_become_root(struct error *err)
{
    if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0 ||
        prctl(PR_SET_DUMPABLE, 0) < 0)
        return error_errno(err, errno, "become root of the user namespace");
    return 0;
}
