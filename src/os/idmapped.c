// SPDX-License-Identifier: Apache-2.0
#include "os/idmapped.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

int idmapped_open(const char *path, const char *userns, unsigned flags, int *out_fd,
                  struct error *err)
{
    unsigned how = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
    AUTO_CLOSE int ids = open(userns, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int tree =
        open_tree(AT_FDCWD, path, flags & IDMAPPED_RECURSIVE ? how | AT_RECURSIVE : how);
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)ids};

    if (ids < 0)
        return error_errno(err, errno, "open user namespace %s", userns);
    if (tree < 0)
        return error_errno(err, errno, "copy the mount of %s", path);
    if (flags & IDMAPPED_READ_ONLY)
        attr.attr_set |= MOUNT_ATTR_RDONLY;
    /* A copy of a shared mount is one of its peers: what is mounted there would come up here. */
    if (!(flags & IDMAPPED_RECURSIVE))
        attr.propagation = MS_PRIVATE;
    if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
        return errno == EINVAL ? error_set(err, ERROR_UNIMPLEMENTED,
                                           "the file system of %s cannot map ids", path)
                               : error_errno(err, errno, "map the ids of %s", path);
    *out_fd = fd_take(&tree);
    return 0;
}

static int make_folder(const char *at, struct error *err)
{
    return file_make_dirs(at, 0711, err);
}

static int make_file(const char *at, struct error *err)
{
    AUTO_FREE char *folder = xstrndup(at, (size_t)(strrchr(at, '/') - at));

    if (make_folder(folder, err) < 0)
        return -1;
    AUTO_CLOSE int fd = open(at, O_RDONLY | O_CREAT | O_CLOEXEC, 0444);
    return fd < 0 ? error_errno(err, errno, "create %s", at) : 0;
}

int idmapped_attach(const char *path, const char *userns, const char *at, struct error *err)
{
    AUTO_CLOSE int tree = -1;
    struct stat st;

    if (idmapped_open(path, userns, IDMAPPED_RECURSIVE, &tree, err) < 0)
        return -1;
    if (fstat(tree, &st) < 0)
        return error_errno(err, errno, "look at %s", path);
    if ((S_ISDIR(st.st_mode) ? make_folder(at, err) : make_file(at, err)) < 0)
        return -1;
    if (move_mount(tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, "mount %s with mapped ids at %s", path, at);
    return 0;
}

/* The length of the path of the folder that all lie in; of the only one, all of it. */
static size_t common_len(const struct strv *layers)
{
    const char *first = layers->items[0];
    size_t len = strlen(first);

    if (layers->len == 1)
        return len;
    for (size_t i = 1; i < layers->len; i++) {
        size_t same = 0;

        while (same < len && first[same] == layers->items[i][same])
            same++;
        len = same;
    }
    while (len > 0 && first[--len] != '/')
        continue;
    return len;
}

int idmapped_attach_layers(struct strv *layers, const char *userns, const char *at,
                           struct error *err)
{
    size_t len = common_len(layers);
    AUTO_FREE char *folder = len ? xstrndup(layers->items[0], len) : xstrdup("/");
    AUTO_CLOSE int tree = -1;

    if (idmapped_open(folder, userns, IDMAPPED_READ_ONLY, &tree, err) < 0)
        return -1;
    if (move_mount(tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, "mount %s with mapped ids at %s", folder, at);
    for (size_t i = 0; i < layers->len; i++) {
        char *path = xasprintf("%s%s", at, layers->items[i] + len);

        free(layers->items[i]);
        layers->items[i] = path;
    }
    return 0;
}

/* A process in a user namespace of its own, which waits to be killed. It is made by the bare system
 * call and does nothing else, since other threads may hold whatever the library locks. */
static pid_t start_holder(void)
{
    pid_t us = getpid();
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid != 0)
        return pid;
    syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    while (syscall(SYS_getppid) == us)
        syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
    syscall(SYS_exit_group, 0);
    __builtin_unreachable();
}

static int write_map(pid_t pid, const char *file, struct error *err)
{
    static const char all[] = "0 0 4294967295\n";
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return error_errno(err, errno, "open %s", path);
    return fd_write_all(fd, all, sizeof all - 1, err);
}

static int probe_with(pid_t pid, const char *folder, struct error *err)
{
    AUTO_CLOSE int tree = -1;
    char userns[64];

    snprintf(userns, sizeof userns, "/proc/%d/ns/user", pid);
    if (write_map(pid, "uid_map", err) < 0 || write_map(pid, "gid_map", err) < 0)
        return error_wrap(err, "map ids");
    return idmapped_open(folder, userns, IDMAPPED_READ_ONLY, &tree, err);
}

int idmapped_probe(const char *folder, struct error *err)
{
    pid_t pid = start_holder();
    int outcome;

    if (pid < 0)
        return error_errno(err, errno, "make a user namespace");
    outcome = probe_with(pid, folder, err);
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return outcome;
}
