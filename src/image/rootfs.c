// SPDX-License-Identifier: Apache-2.0
#include "image/rootfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

enum {
    COPY_DEPTH_MAX = 256,
    COPY_CHUNK = 1 << 20,
    XATTR_NAMES_MAX = 64 * 1024,
    XATTR_VALUE_MAX = 64 * 1024,
    FSCONFIG_TEXT_MAX = 255, /* the kernel takes 256 bytes with the NUL */
};

static int set_text(int fs, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* Highest first, as overlayfs wants them. */
static int set_layers(int fs, const struct strv *layers)
{
    AUTO_FINI(strv) reversed = {0};
    AUTO_FREE char *joined = NULL;

    for (size_t i = layers->len; i-- > 0;)
        strv_add(&reversed, layers->items[i]);
    joined = strv_join(&reversed, ":");
    if (strlen(joined) <= FSCONFIG_TEXT_MAX)
        return set_text(fs, "lowerdir", joined);
    for (size_t i = 0; i < reversed.len; i++)
        if (set_text(fs, "lowerdir+", reversed.items[i]) < 0)
            return -1;
    return 0;
}

static int open_overlay(const struct strv *layers, int *out_fd, struct error *err)
{
    AUTO_CLOSE int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    int fd;

    if (fs < 0)
        return error_errno(err, errno, "open an overlay");
    if (set_layers(fs, layers) < 0 ||
        syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return error_errno(err, errno, "make an overlay of %zu layers", layers->len);
    fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
    if (fd < 0)
        return error_errno(err, errno, "mount an overlay of %zu layers", layers->len);
    *out_fd = fd;
    return 0;
}

int rootfs_open(const struct strv *layers, int *out_fd, struct error *err)
{
    if (layers->len > 1)
        return open_overlay(layers, out_fd, err);
    /* One layer is what the container sees. Its whiteouts, which would hide nothing, stay. */
    *out_fd = open(layers->items[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out_fd < 0)
        return error_errno(err, errno, "open layer %s", layers->items[0]);
    return 0;
}

/* A read-only copy of the mount that the folder lies on, of that folder alone. */
static int open_bind(const char *folder, int *out_fd, struct error *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
    AUTO_CLOSE int fd =
        (int)syscall(SYS_open_tree, AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
        return error_errno(err, errno, "bind %s read-only", folder);
    *out_fd = fd_take(&fd);
    return 0;
}

int rootfs_mount(const struct strv *layers, const char *target, struct error *err)
{
    AUTO_CLOSE int fd = -1;

    if ((layers->len > 1 ? open_overlay(layers, &fd, err) : open_bind(layers->items[0], &fd, err)) <
        0)
        return -1;
    if (syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, "mount at %s", target);
    return 0;
}

void rootfs_options(const struct strv *layers, const char *container_dir, struct strv *out)
{
    AUTO_FINI(strv) reversed = {0};
    AUTO_FREE char *joined = NULL;

    for (size_t i = layers->len; i-- > 0;)
        strv_add(&reversed, layers->items[i]);
    joined = strv_join(&reversed, ":");
    strv_addf(out, "lowerdir=%s", joined);
    strv_addf(out, "upperdir=%s/upper", container_dir);
    strv_addf(out, "workdir=%s/work", container_dir);
    /* Without it every umount would sync the whole file system. */
    strv_add(out, "volatile");
}

/* --- copying a folder out of the view --- */

static int copy_tree(int from, int to, int depth, struct error *err);

static int copy_xattrs(int from, int to, struct error *err)
{
    AUTO_FREE char *names = xmalloc(XATTR_NAMES_MAX), *value = xmalloc(XATTR_VALUE_MAX);
    ssize_t len = flistxattr(from, names, XATTR_NAMES_MAX);

    if (len < 0)
        return errno == ENOTSUP ? 0 : error_errno(err, errno, "list extended attributes");
    for (const char *name = names; name < names + len; name += strlen(name) + 1) {
        ssize_t size;

        if (strcmp(name, "security.selinux") == 0 || strncmp(name, "trusted.overlay.", 16) == 0)
            continue;
        size = fgetxattr(from, name, value, XATTR_VALUE_MAX);
        if (size < 0 || (fsetxattr(to, name, value, (size_t)size, 0) < 0 && errno != ENOTSUP))
            return error_errno(err, errno, "copy extended attribute %s", name);
    }
    return 0;
}

static int copy_meta(int from, int to, const struct stat *st, struct error *err)
{
    struct timespec times[2] = {st->st_atim, st->st_mtim};

    if (fchown(to, st->st_uid, st->st_gid) < 0 || copy_xattrs(from, to, err) < 0 ||
        fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0)
        return err->errnum ? -1 : error_errno(err, errno, "copy owner and mode");
    return 0;
}

static int copy_file(int from, int dirfd, const char *name, const struct stat *st,
                     struct error *err)
{
    AUTO_CLOSE int to =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ssize_t n;

    if (to < 0)
        return error_errno(err, errno, "create %s", name);
    while ((n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0)) > 0)
        continue;
    if (n < 0)
        return error_errno(err, errno, "copy %s", name);
    return copy_meta(from, to, st, err);
}

static int copy_special(int from_dir, int to_dir, const char *name, const struct stat *st,
                        struct error *err)
{
    char target[4096];
    ssize_t len;

    if (S_ISLNK(st->st_mode)) {
        len = readlinkat(from_dir, name, target, sizeof target - 1);
        if (len < 0)
            return error_errno(err, errno, "read link %s", name);
        target[len] = '\0';
        if (symlinkat(target, to_dir, name) < 0)
            return error_errno(err, errno, "create link %s", name);
    } else if (S_ISSOCK(st->st_mode)) {
        return 0; /* a socket without its process is nothing */
    } else if (mknodat(to_dir, name, st->st_mode, st->st_rdev) < 0) {
        return error_errno(err, errno, "create %s", name);
    }
    if (fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "copy owner of %s", name);
    return 0;
}

static int copy_entry(int from_dir, int to_dir, const char *name, int depth, struct error *err)
{
    struct stat st;

    if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "look at %s", name);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return copy_special(from_dir, to_dir, name, &st, err);

    AUTO_CLOSE int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0)
        return error_errno(err, errno, "open %s", name);
    if (S_ISREG(st.st_mode))
        return copy_file(from, to_dir, name, &st, err);
    if (mkdirat(to_dir, name, 0700) < 0)
        return error_errno(err, errno, "create folder %s", name);
    AUTO_CLOSE int to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to < 0)
        return error_errno(err, errno, "open %s", name);
    if (copy_tree(from, to, depth + 1, err) < 0)
        return error_wrap(err, "%s", name);
    return copy_meta(from, to, &st, err);
}

static void dir_auto(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static int copy_tree(int from, int to, int depth, struct error *err)
{
    __attribute__((cleanup(dir_auto))) DIR *dir = NULL;
    AUTO_CLOSE int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (depth > COPY_DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "folders are more than %d deep", COPY_DEPTH_MAX);
    if (copy < 0 || !(dir = fdopendir(copy)))
        return error_errno(err, errno, "read folder");
    fd_take(&copy);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (copy_entry(from, to, entry->d_name, depth, err) < 0)
            return -1;
    }
    return 0;
}

int rootfs_copy_out(int root_fd, const char *path, const char *to, struct error *err)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    AUTO_CLOSE int from = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    AUTO_CLOSE int into = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (from < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (from < 0 || into < 0 || fstat(from, &st) < 0)
        return error_errno(err, errno, "copy %s out of the image", path);
    err->errnum = 0;
    if (copy_tree(from, into, 0, err) < 0 || copy_meta(from, into, &st, err) < 0)
        return error_wrap(err, "copy %s out of the image", path);
    return 0;
}
