// SPDX-License-Identifier: Apache-2.0
#include "imaged/sandbox_files.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

/* The new tree grows where the old one has a folder that is always there. */
#define TOP "/proc"

/* A copy of the mount that the path is on, which nobody else sees; -1 with ENOENT for none. */
static int open_copy(const struct sandbox_path *p, bool executable)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    AUTO_CLOSE int fd =
        open_tree(AT_FDCWD, p->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

    if (!p->writable)
        attr.attr_set |= MOUNT_ATTR_RDONLY;
    if (!executable)
        attr.attr_set |= MOUNT_ATTR_NOEXEC;
    if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0)
        return -1;
    return fd_take(&fd);
}

/* Something of the same kind to mount it on. */
static int make_point(int copy, const char *at, struct error *err)
{
    AUTO_FREE char *folder = xstrdup(at);
    struct stat st;

    if (fstat(copy, &st) < 0)
        return error_errno(err, errno, "look at it");
    if (S_ISDIR(st.st_mode))
        return file_make_dirs(at, 0755, err);
    *strrchr(folder, '/') = '\0';
    if (file_make_dirs(folder, 0755, err) < 0)
        return -1;
    AUTO_CLOSE int file = open(at, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return file < 0 ? error_errno(err, errno, "create %s", at) : 0;
}

static int place(int copy, const char *path, struct error *err)
{
    AUTO_FREE char *at = xasprintf(TOP "%s", path);

    if (make_point(copy, at, err) < 0)
        return -1;
    if (move_mount(copy, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, "mount");
    return 0;
}

static int place_all(const struct sandbox *s, const int copies[], struct error *err)
{
    for (size_t i = 0; i < s->n_paths; i++)
        if (copies[i] >= 0 && place(copies[i], s->paths[i].path, err) < 0)
            return error_wrap(err, "%s", s->paths[i].path);
    return 0;
}

/* The old tree goes below the new one's root, and from there away. On an initramfs, whose root
 * cannot be exchanged, the new tree is put over it. */
static int exchange_roots(struct error *err)
{
    if (chdir(TOP) < 0)
        return error_errno(err, errno, "enter the new root");
    if (syscall(SYS_pivot_root, ".", ".") == 0)
        return umount2(".", MNT_DETACH) < 0 ? error_errno(err, errno, "leave the old root") : 0;
    if (errno != EINVAL || mount(TOP, "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        return error_errno(err, errno, "exchange roots");
    return 0;
}

static int build(const struct sandbox *s, const int copies[], struct error *err)
{
    const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (mount("sandbox", TOP, "tmpfs", plain, "mode=0755,size=1m") < 0)
        return error_errno(err, errno, "mount a tmpfs");
    if (place_all(s, copies, err) < 0 || exchange_roots(err) < 0)
        return -1;
    if ((mkdir("/proc", 0555) < 0 && errno != EEXIST) ||
        mount("proc", "/proc", "proc", plain | MS_RDONLY, "subset=pid") < 0 ||
        mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | plain, NULL) < 0 ||
        chdir("/") < 0)
        return error_errno(err, errno, "finish the new root");
    return 0;
}

int sandbox_files_enter(const struct sandbox *s, struct error *err)
{
    int copies[SANDBOX_PATHS_MAX], result = 0;
    size_t n = 0;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return error_errno(err, errno, "make a mount namespace");
    for (; n < s->n_paths && result == 0; n++) {
        copies[n] = open_copy(&s->paths[n], s->network);
        if (copies[n] < 0 && errno != ENOENT && errno != ENOTDIR)
            result = error_errno(err, errno, "open %s", s->paths[n].path);
    }
    if (result == 0)
        result = build(s, copies, err);
    while (n-- > 0)
        fd_close(&copies[n]);
    return result;
}
