// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/own.h"

enum { READ_CHUNK = 16 * 1024, TREE_DEPTH_MAX = 512 };

static int read_whole(int fd, const char *path, struct buf *out, struct error *err)
{
    for (;;) {
        /* Near the maximum read less, so that a file of exactly that size is accepted. */
        size_t left = out->max - out->len, want = left < READ_CHUNK ? left : READ_CHUNK;
        char extra, *at = want ? buf_reserve(out, want, err) : &extra;
        ssize_t n = at ? read(fd, at, want ? want : 1) : -1;

        if (!at)
            return -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "read %s", path);
        if (n == 0)
            return 0;
        if (!want)
            return error_set(err, ERROR_EXHAUSTED, "read %s: more than %zu bytes", path, out->max);
        buf_added(out, (size_t)n);
    }
}

int file_load(int dirfd, const char *path, struct buf *out, struct error *err)
{
    AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, errno, "open %s", path);
    return read_whole(fd, path, out, err);
}

int file_load_regular(int dirfd, const char *path, struct buf *out, struct error *err)
{
    AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "open %s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERROR_INVALID, "%s is not a regular file", path);
    return read_whole(fd, path, out, err);
}

static int sync_parent(int dirfd, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *parent =
        slash ? xstrndup(path, slash == path ? 1 : (size_t)(slash - path)) : xstrdup(".");
    AUTO_CLOSE int fd = openat(dirfd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "sync %s", parent);
    return 0;
}

static int store(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                 bool durable, struct error *err)
{
    AUTO_FREE char *tmp = xasprintf("%s.tmp", path);
    AUTO_CLOSE int fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    if (fd < 0)
        return error_errno(err, errno, "create %s", tmp);
    if (fd_write_all(fd, data, len, err) < 0) {
        unlinkat(dirfd, tmp, 0);
        return error_wrap(err, "%s", tmp);
    }
    if ((durable && fsync(fd) < 0) || renameat(dirfd, tmp, dirfd, path) < 0) {
        error_errno(err, errno, "replace %s", path);
        unlinkat(dirfd, tmp, 0);
        return -1;
    }
    return durable ? sync_parent(dirfd, path, err) : 0;
}

int file_store(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
               struct error *err)
{
    return store(dirfd, path, data, len, mode, false, err);
}

int file_store_durable(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
                       struct error *err)
{
    return store(dirfd, path, data, len, mode, true, err);
}

int file_make_dirs(const char *path, mode_t mode, struct error *err)
{
    AUTO_FREE char *part = xstrdup(path);

    for (char *at = part + 1;; at++) {
        char end = *at;

        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        if (mkdir(part, mode) < 0 && errno != EEXIST)
            return error_errno(err, errno, "create folder %s", part);
        *at = end;
        if (end == '\0')
            return 0;
    }
}

void file_scatter(const char *folder)
{
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = 0;

    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || flags & FS_TOPDIR_FL)
        return;
    flags |= FS_TOPDIR_FL;
    if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
        return;
}

static int remove_children(int fd, dev_t device, int depth, struct error *err);

static int remove_entry(int dirfd, const char *name, dev_t device, int depth, struct error *err)
{
    struct stat st;

    if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return error_errno(err, errno, "remove %s", name);

    AUTO_CLOSE int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "remove %s", name);
    if (st.st_dev != device)
        return error_set(err, ERROR_PRECONDITION, "remove %s: something is mounted there", name);
    if (remove_children(fd, device, depth + 1, err) < 0)
        return error_wrap(err, "%s", name);
    if (unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_errno(err, errno, "remove folder %s", name);
    return 0;
}

static int remove_children(int fd, dev_t device, int depth, struct error *err)
{
    AUTO_CLOSEDIR DIR *dir = NULL;
    AUTO_CLOSE int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    if (depth > TREE_DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "folders are more than %d deep", TREE_DEPTH_MAX);
    if (copy < 0 || !(dir = fdopendir(copy)))
        return error_errno(err, errno, "read folder");
    fd_take(&copy);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (remove_entry(fd, entry->d_name, device, depth, err) < 0)
            return -1;
    }
    return 0;
}

int file_remove_tree(int dirfd, const char *path, struct error *err)
{
    struct stat st;

    if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT)
            return 0;
        return error_errno(err, errno, "remove %s", path);
    }
    return remove_entry(dirfd, path, st.st_dev, 0, err);
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}
