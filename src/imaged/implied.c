// SPDX-License-Identifier: Apache-2.0
#include "imaged/implied.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

enum { NAMES_MAX = 64 * 1024, VALUE_MAX = 64 * 1024 };

static int open_plain(int dir, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};

    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int copy_xattr(int from, int to, const char *name, char *value, struct error *err)
{
    ssize_t len;

    if (strncmp(name, "trusted.", 8) == 0 || strcmp(name, "security.selinux") == 0)
        return 0;
    len = fgetxattr(from, name, value, VALUE_MAX);
    if (len >= 0 && fsetxattr(to, name, value, (size_t)len, 0) < 0 && errno != ENOTSUP)
        return error_errno(err, errno, "copy attribute %s", name);
    return 0;
}

static int copy_xattrs(int from, int to, struct error *err)
{
    AUTO_FREE char *names = xmalloc(NAMES_MAX);
    AUTO_FREE char *value = NULL;
    ssize_t len = flistxattr(from, names, NAMES_MAX);

    if (len <= 0)
        return 0;
    value = xmalloc(VALUE_MAX);
    for (const char *name = names; name < names + len; name += strlen(name) + 1)
        if (copy_xattr(from, to, name, value, err) < 0)
            return -1;
    return 0;
}

static int copy(int from, int to, struct error *err)
{
    struct stat st;

    if (fstat(from, &st) < 0 || fchown(to, st.st_uid, st.st_gid) < 0)
        return error_errno(err, errno, "copy owner");
    if (copy_xattrs(from, to, err) < 0)
        return -1;
    if (fchmod(to, st.st_mode & 07777) < 0 ||
        futimens(to, (const struct timespec[]){st.st_atim, st.st_mtim}) < 0)
        return error_errno(err, errno, "copy mode and times");
    return 0;
}

static int inherit(int fs, const char *path, const struct strv *lowers, struct error *err)
{
    for (size_t i = lowers->len; i > 0; i--) {
        AUTO_CLOSE int lower = open(lowers->items[i - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        AUTO_CLOSE int from = lower < 0 ? -1 : open_plain(lower, path);
        AUTO_CLOSE int to = -1;

        if (lower < 0)
            return error_errno(err, errno, "open layer %s", lowers->items[i - 1]);
        if (from < 0 && errno == ENOENT)
            continue;
        if (from < 0)
            return 0; /* something else is there, and what lies further below is hidden */
        to = open_plain(fs, path);
        return to < 0 ? 0 : copy(from, to, err);
    }
    return 0;
}

int implied_inherit(int fs, const struct strv *paths, const struct strv *lowers, struct error *err)
{
    for (size_t i = 0; i < paths->len; i++)
        if (inherit(fs, paths->items[i], lowers, err) < 0)
            return error_wrap(err, "%s", paths->items[i]);
    return 0;
}
