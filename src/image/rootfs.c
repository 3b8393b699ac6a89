// SPDX-License-Identifier: Apache-2.0
#include "image/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/own.h"
#include "image/overlay.h"
#include "os/idmapped.h"

enum {
    COPY_DEPTH_MAX = 256,
    COPY_CHUNK = 1 << 20,
    XATTR_NAMES_MAX = 64 * 1024,
    XATTR_VALUE_MAX = 64 * 1024,
};

int rootfs_open(const struct strv *layers, int *out_fd, struct error *err)
{
    if (layers->len > 1)
        return overlay_open(layers, out_fd, err);
    /* One layer is what the container sees. Its whiteouts, which would hide nothing, stay. */
    *out_fd = open(layers->items[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*out_fd < 0)
        return error_errno(err, errno, "open layer %s", layers->items[0]);
    return 0;
}

/* The overlay holds on to the layers, so the mount that maps their ids is needed for a moment. */
static int mount_mapped_overlay(const struct strv *layers, const char *userns, const char *target,
                                struct error *err)
{
    AUTO_FREE char *at = xasprintf("%s.mapped", target);
    AUTO_FINI(strv) mapped = {0};
    int outcome;

    strv_add_all(&mapped, layers);
    if (mkdir(at, 0700) < 0 && errno != EEXIST)
        return error_errno(err, errno, "create folder %s", at);
    outcome = idmapped_attach_layers(&mapped, userns, at, err);
    if (outcome == 0)
        outcome = overlay_mount(&mapped, target, err);
    umount2(at, MNT_DETACH | UMOUNT_NOFOLLOW);
    rmdir(at);
    return outcome;
}

/* A read-only copy of the mount that the folder lies on, of that folder alone. */
static int open_bind(const char *folder, int *out_fd, struct error *err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY, .propagation = MS_PRIVATE};
    AUTO_CLOSE int fd = open_tree(AT_FDCWD, folder, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

    if (fd < 0 || mount_setattr(fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
        return error_errno(err, errno, "bind %s read-only", folder);
    *out_fd = fd_take(&fd);
    return 0;
}

static int mount_one(const char *layer, const char *userns, const char *target, struct error *err)
{
    AUTO_CLOSE int fd = -1;

    if ((userns ? idmapped_open(layer, userns, IDMAPPED_READ_ONLY, &fd, err)
                : open_bind(layer, &fd, err)) < 0)
        return -1;
    if (move_mount(fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return error_errno(err, errno, "mount at %s", target);
    return 0;
}

int rootfs_mount(const struct strv *layers, const char *userns, const char *target,
                 struct error *err)
{
    if (layers->len == 1)
        return mount_one(layers->items[0], userns, target, err);
    return userns ? mount_mapped_overlay(layers, userns, target, err)
                  : overlay_mount(layers, target, err);
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

static int copy_tree(int from, int to, int depth, const struct idmap *ids, struct error *err);

/* What is there belongs to ids of the image: makes them those that they are on the node. */
static int map_owner(struct stat *st, const struct idmap *ids, struct error *err)
{
    if (idmap_find(&ids->uids, st->st_uid, &st->st_uid) &&
        idmap_find(&ids->gids, st->st_gid, &st->st_gid))
        return 0;
    return error_set(err, ERROR_INVALID,
                     "owner %u or group %u is not among the ids of the pod's user namespace",
                     st->st_uid, st->st_gid);
}

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

/* The view of several layers is another file system than that below it, and then the kernel copies
 * only by way of a pipe. */
static ssize_t copy_some(int from, int to)
{
    ssize_t n = copy_file_range(from, NULL, to, NULL, COPY_CHUNK, 0);

    if (n < 0 && (errno == EXDEV || errno == EOPNOTSUPP || errno == EINVAL))
        n = sendfile(to, from, NULL, COPY_CHUNK);
    return n;
}

static int copy_file(int from, int dirfd, const char *name, const struct stat *st,
                     struct error *err)
{
    AUTO_CLOSE int to =
        openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ssize_t n;

    if (to < 0)
        return error_errno(err, errno, "create %s", name);
    while ((n = copy_some(from, to)) > 0)
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

static int copy_entry(int from_dir, int to_dir, const char *name, int depth,
                      const struct idmap *ids, struct error *err)
{
    struct stat st;

    if (fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "look at %s", name);
    if (map_owner(&st, ids, err) < 0)
        return error_wrap(err, "%s", name);
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
    if (copy_tree(from, to, depth + 1, ids, err) < 0)
        return error_wrap(err, "%s", name);
    return copy_meta(from, to, &st, err);
}

static int copy_tree(int from, int to, int depth, const struct idmap *ids, struct error *err)
{
    AUTO_CLOSEDIR DIR *dir = NULL;
    AUTO_CLOSE int copy = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (depth > COPY_DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "folders are more than %d deep", COPY_DEPTH_MAX);
    if (copy < 0 || !(dir = fdopendir(copy)))
        return error_errno(err, errno, "read folder");
    fd_take(&copy);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (copy_entry(from, to, entry->d_name, depth, ids, err) < 0)
            return -1;
    }
    return 0;
}

/* An empty one for the root of the image. */
static int give_to_root(int into, const struct idmap *ids, struct error *err)
{
    if (into < 0 || (idmap_is_set(ids) && fchown(into, ids->uids.first, ids->gids.first) < 0))
        return error_errno(err, errno, "make an empty volume");
    return 0;
}

int rootfs_copy_out(int root_fd, const char *path, const char *to, const struct idmap *ids,
                    struct error *err)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    AUTO_CLOSE int from = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof how);
    AUTO_CLOSE int into = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;

    if (from < 0 && (errno == ENOENT || errno == ENOTDIR))
        return give_to_root(into, ids, err);
    if (from < 0 || into < 0 || fstat(from, &st) < 0)
        return error_errno(err, errno, "copy %s out of the image", path);
    err->errnum = 0;
    if (map_owner(&st, ids, err) < 0 || copy_tree(from, into, 0, ids, err) < 0 ||
        copy_meta(from, into, &st, err) < 0)
        return error_wrap(err, "copy %s out of the image", path);
    return 0;
}
