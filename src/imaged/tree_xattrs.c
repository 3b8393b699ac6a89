// SPDX-License-Identifier: Apache-2.0
#include "imaged/tree_xattrs.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/own.h"

enum { NAMES_MAX = 64 * 1024, VALUE_MAX = 64 * 1024, ALL_VALUES_MAX = 1024 * 1024 };

void tree_xattrs_fini(struct tree_xattrs *x)
{
    free(x->items);
    free(x->names);
    buf_fini(&x->values);
}

static bool is_ours(const char *name)
{
    return strncmp(name, "trusted.", 8) != 0 && strncmp(name, "user.overlay.", 13) != 0 &&
           strcmp(name, "security.selinux") != 0;
}

static ssize_t get(int fd, const char *path, const char *name, void *value, size_t size)
{
    return path ? lgetxattr(path, name, value, size) : fgetxattr(fd, name, value, size);
}

static int load_value(struct tree_xattrs *x, int fd, const char *path, const char *name,
                      struct error *err)
{
    char *to = buf_reserve(&x->values, VALUE_MAX, err);
    ssize_t len = to ? get(fd, path, name, to, VALUE_MAX) : -1;

    if (!to)
        return -1;
    if (len < 0)
        return error_errno(err, errno, "read attribute %s", name);
    x->items[x->len++] = (struct tar_xattr){.name = name, .len = (size_t)len};
    buf_added(&x->values, (size_t)len);
    return 0;
}

/* Only when all are there, because the buffer moves while it grows. */
static void point_at_values(struct tree_xattrs *x)
{
    const char *at = x->values.data;

    for (size_t i = 0; i < x->len; i++) {
        x->items[i].value = at;
        at += x->items[i].len;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct tar_xattr *)a)->name, ((const struct tar_xattr *)b)->name);
}

static bool is_opaque(int fd, const char *path)
{
    char value[2] = "";

    return get(fd, path, "trusted.overlay.opaque", value, sizeof value) == 1 && value[0] == 'y';
}

int tree_xattrs_load(struct tree_xattrs *x, int fd, const char *path, struct error *err)
{
    ssize_t len = path ? llistxattr(path, NULL, 0) : flistxattr(fd, NULL, 0);
    size_t count = 0;

    buf_init(&x->values, ALL_VALUES_MAX);
    if (len == 0 || (len < 0 && errno == ENOTSUP))
        return 0;
    if (len < 0 || len > NAMES_MAX)
        return error_errno(err, len < 0 ? errno : E2BIG, "list attributes");
    x->names = xmalloc((size_t)len);
    len = path ? llistxattr(path, x->names, (size_t)len) : flistxattr(fd, x->names, (size_t)len);
    if (len < 0)
        return error_errno(err, errno, "list attributes");
    for (const char *name = x->names; name < x->names + len; name += strlen(name) + 1)
        count++;
    x->items = xcalloc(count, sizeof *x->items);
    for (const char *name = x->names; name < x->names + len; name += strlen(name) + 1)
        if (is_ours(name) && load_value(x, fd, path, name, err) < 0)
            return -1;
    point_at_values(x);
    if (x->len > 1)
        qsort(x->items, x->len, sizeof *x->items, by_name);
    x->is_opaque = is_opaque(fd, path);
    return 0;
}
