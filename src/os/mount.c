// SPDX-License-Identifier: Apache-2.0
#include "os/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/own.h"

/* A bind mount has its parent's device, so mountinfo has to tell. */
static bool is_mount_point(const char *path)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t cap = 0, len = strlen(path);
    bool found = false;

    while (f && !found && getline(&line, &cap, f) > 0) {
        const char *at = line;

        for (int field = 0; field < 4 && at; field++)
            at = strchr(at + 1, ' ');
        found = at && strncmp(at + 1, path, len) == 0 && at[1 + len] == ' ';
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}

int mount_make_private(const char *path, struct error *err)
{
    if (!is_mount_point(path) && mount(path, path, NULL, MS_BIND, NULL) < 0)
        return error_errno(err, errno, "bind %s to itself", path);
    if (mount(NULL, path, NULL, MS_PRIVATE, NULL) < 0)
        return error_errno(err, errno, "make mount %s private", path);
    return 0;
}

int mount_detach(const char *path, struct error *err)
{
    for (;;) {
        if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
            continue;
        if (errno == EINVAL || errno == ENOENT)
            return 0;
        return error_errno(err, errno, "unmount %s", path);
    }
}

int mount_open_read_only(const char *folder, struct error *err)
{
    AUTO_CLOSE int fd = open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
        return error_errno(err, errno, "mount %s read-only", folder);
    return fd_take(&fd);
}

bool mount_is_point(const char *path)
{
    struct statx st;

    return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, 0, &st) == 0 &&
           st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

bool mount_is_namespace(const char *path)
{
    struct statfs fs;

    return statfs(path, &fs) == 0 && fs.f_type == NSFS_MAGIC;
}
