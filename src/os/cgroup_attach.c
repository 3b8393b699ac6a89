// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"

enum { OWN_GROUPS_MAX = 64 * 1024 };

/* The list of processes of the group behind a line "<n>:<controllers>:<path>" of /proc/self/cgroup;
 * -1 when its hierarchy is not mounted where it is on all nodes. */
static int open_procs(char *line)
{
    char *first = strchr(line, ':'), *path = first ? strchr(first + 1, ':') : NULL;
    const char *controllers;
    int fd;

    if (!path)
        return -1;
    *path++ = '\0';
    controllers = strncmp(first + 1, "name=", 5) == 0 ? first + 6 : first + 1;
    if (!*controllers)
        controllers = "unified";
    AUTO_FREE char *v1 = xasprintf("/sys/fs/cgroup/%s%s/cgroup.procs", controllers, path);
    AUTO_FREE char *v2 = xasprintf("/sys/fs/cgroup%s/cgroup.procs", path);
    fd = open(v1, O_WRONLY | O_CLOEXEC);
    return fd < 0 && strcmp(controllers, "unified") == 0 ? open(v2, O_WRONLY | O_CLOEXEC) : fd;
}

/* Looked for each time: who manages services may have moved us. */
int cgroup_attach_stay(struct error *err)
{
    AUTO_FINI(buf) groups = BUF(OWN_GROUPS_MAX);
    AUTO_CLOSE int fd = -1;
    char *rest;

    if (file_load(AT_FDCWD, "/proc/self/cgroup", &groups, err) < 0)
        return -1;
    rest = groups.data;
    for (char *line; fd < 0 && rest && (line = strsep(&rest, "\n"));)
        fd = open_procs(line);
    if (fd < 0)
        return error_set(err, ERROR_NOT_FOUND, "no cgroup of ours is below /sys/fs/cgroup");
    if (write(fd, "0", 1) < 0)
        return error_errno(err, errno, "stay in a cgroup");
    return 0;
}

static void stay(void *data)
{
    struct cgroup_attach *a = data;
    struct error err;

    if (cgroup_attach_stay(&err) < 0)
        log_debug("processes are moved as slowly as ever: %s", err.text);
    atomic_store(&a->is_under_way, false);
}

void cgroup_attach_hasten(struct cgroup_attach *a)
{
    if (!atomic_exchange(&a->is_under_way, true))
        pool_submit(a->pool, stay, a);
}
