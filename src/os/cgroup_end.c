// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup_end.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "os/cgroup_procs.h"

/* Signals alone do not do: more processes may come up between the look and the kill, and the folder
 * of a group stays busy until the last one has been reaped. So it looks again until all is gone. */
enum { DEPTH_MAX = 32, LOOK_MS = 5 };

static const char base[] = "/sys/fs/cgroup";

static void write_word(int group, const char *name, const char *word)
{
    AUTO_CLOSE int fd = openat(group, name, O_WRONLY | O_CLOEXEC);
    struct error ignored;

    if (fd >= 0 && fd_write_all(fd, word, strlen(word), &ignored) < 0)
        return; /* the signals do what can be done */
}

static void kill_in(int group)
{
    write_word(group, "cgroup.kill", "1");
    cgroup_procs_signal(group, SIGKILL);
    /* In version 1 even SIGKILL waits until a process is thawed. */
    write_word(group, "freezer.state", "THAWED");
}

/* True when nothing is left of it. */
static bool sweep(int parent, const char *name, int depth)
{
    AUTO_CLOSE int group = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int copy = group < 0 ? -1 : fcntl(group, F_DUPFD_CLOEXEC, 3);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);

    if (group < 0)
        return errno == ENOENT;
    kill_in(group);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && depth < DEPTH_MAX)
            (void)sweep(group, entry->d_name, depth + 1);
    if (dir)
        closedir(dir);
    else
        fd_close(&copy);
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

static bool sweep_hierarchies(int top, const char *path)
{
    DIR *dir = opendir(base);
    bool is_gone = true;

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        AUTO_FREE char *group = xasprintf("%s%s", entry->d_name, path);

        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            is_gone = sweep(top, group, 0) && is_gone;
    }
    if (dir)
        closedir(dir);
    return is_gone;
}

int cgroup_end(const char *path, const struct deadline *by, struct error *err)
{
    AUTO_CLOSE int top = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_v2 = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;

    if (top < 0)
        return error_errno(err, errno, "open %s", base);
    if (path[0] != '/' || path[1] == '\0')
        return error_set(err, ERROR_INVALID, "\"%s\" is no cgroup to remove", path);
    while (is_v2 ? !sweep(top, path + 1, 0) : !sweep_hierarchies(top, path)) {
        if (deadline_check(by, err) < 0)
            return error_wrap(err, "remove cgroup %s", path);
        poll(NULL, 0, LOOK_MS);
    }
    return 0;
}
