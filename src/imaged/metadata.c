// SPDX-License-Identifier: Apache-2.0
#include "imaged/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000, MODE_BITS = 07777 };

static struct timespec sane(struct timespec at)
{
    if (at.tv_sec < 0 || at.tv_sec >= INT64_MAX / NS_PER_S)
        return (struct timespec){0};
    return at;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

void metadata_times(const struct tar_entry *e, struct timespec out[static 2])
{
    out[0] = sane(e->accessed);
    out[1] = sane(e->modified);
    if (is_later(&out[1], &out[0]))
        out[0] = out[1];
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_for_hosts(const char *name)
{
    return begins_with(name, "trusted.") || begins_with(name, "user.overlay.") ||
           strcmp(name, "security.selinux") == 0;
}

/* What the filesystem has no place for is left out; "user." attributes are for files and folders
 * only. */
static bool may_miss(const struct tar_entry *e, const char *name, int errnum)
{
    return errnum == ENOTSUP || (errnum == EPERM && begins_with(name, "user.") &&
                                 e->type != TAR_FILE && e->type != TAR_DIR);
}

static int set_xattrs(int fd, const char *path, const struct tar_entry *e, struct error *err)
{
    for (size_t i = 0; i < e->n_xattrs; i++) {
        const struct tar_xattr *x = &e->xattrs[i];

        if (is_for_hosts(x->name))
            continue;
        if ((path ? lsetxattr(path, x->name, x->value, x->len, 0)
                  : fsetxattr(fd, x->name, x->value, x->len, 0)) < 0 &&
            !may_miss(e, x->name, errno))
            return error_errno(err, errno, "set attribute %s", x->name);
    }
    return 0;
}

int metadata_apply_fd(int fd, const struct tar_entry *e, struct error *err)
{
    struct timespec times[2];
    struct stat st;
    bool given_away;

    metadata_times(e, times);
    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "look at it");
    given_away = st.st_uid != e->uid || st.st_gid != e->gid;
    if (given_away && fchown(fd, e->uid, e->gid) < 0)
        return error_errno(err, errno, "change owner");
    if (set_xattrs(fd, NULL, e, err) < 0)
        return -1;
    /* A new owner and an access list change it, too. */
    if ((given_away || e->n_xattrs > 0 || (st.st_mode & MODE_BITS) != e->mode) &&
        fchmod(fd, e->mode) < 0)
        return error_errno(err, errno, "change mode");
    if (futimens(fd, times) < 0)
        return error_errno(err, errno, "change times");
    return 0;
}

static int set_xattrs_at(int dir, const char *name, const struct tar_entry *e, struct error *err)
{
    char path[sizeof "/proc/self/fd//" + 3 * sizeof dir + NAME_MAX];

    if (e->n_xattrs == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir, name);
    return set_xattrs(-1, path, e, err);
}

int metadata_apply_at(int dir, const char *name, const struct tar_entry *e, struct error *err)
{
    struct timespec times[2];
    struct stat st;

    metadata_times(e, times);
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "look at it");
    /* A hard link has the owner already, and chown would drop the file's capabilities. */
    if ((st.st_uid != e->uid || st.st_gid != e->gid) &&
        fchownat(dir, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "change owner");
    if (set_xattrs_at(dir, name, e, err) < 0)
        return -1;
    if (!S_ISLNK(st.st_mode) && fchmodat(dir, name, e->mode, 0) < 0)
        return error_errno(err, errno, "change mode");
    if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "change times");
    return 0;
}
