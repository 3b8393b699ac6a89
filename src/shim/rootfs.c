// SPDX-License-Identifier: Apache-2.0
#include "shim/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/own.h"
#include "base/strv.h"
#include "os/idmapped.h"

enum { OPTIONS_MAX = 64 * 1024, PAGE = 4096 };

static const struct {
    const char *name;
    unsigned long set;
    unsigned long clear;
} flag_options[] = {
    {"ro", MS_RDONLY, 0},           {"rw", 0, MS_RDONLY},
    {"nosuid", MS_NOSUID, 0},       {"suid", 0, MS_NOSUID},
    {"nodev", MS_NODEV, 0},         {"dev", 0, MS_NODEV},
    {"noexec", MS_NOEXEC, 0},       {"exec", 0, MS_NOEXEC},
    {"noatime", MS_NOATIME, 0},     {"nodiratime", MS_NODIRATIME, 0},
    {"relatime", MS_RELATIME, 0},   {"strictatime", MS_STRICTATIME, 0},
    {"sync", MS_SYNCHRONOUS, 0},    {"bind", MS_BIND, 0},
    {"rbind", MS_BIND | MS_REC, 0}, {"defaults", 0, 0},
};

/* What the options say, taken apart. */
struct wishes {
    unsigned long flags;
    struct strv lowers; /* of an overlay, topmost first */
    struct strv data;   /* key or key=value, for the file system */
    bool maps_ids;
};

static bool parse_flag(const char *option, unsigned long *flags)
{
    for (size_t i = 0; i < COUNT_OF(flag_options); i++) {
        if (strcmp(option, flag_options[i].name) == 0) {
            *flags = (*flags | flag_options[i].set) & ~flag_options[i].clear;
            return true;
        }
    }
    return false;
}

/* The process soon ends or becomes another program: the vectors are not freed. */
static struct wishes parse(const struct rootfs_mount *m)
{
    static const char lower[] = "lowerdir=";
    struct wishes w = {0};

    for (size_t i = 0; i < m->n_options; i++) {
        const char *option = m->options[i];

        if (parse_flag(option, &w.flags))
            continue;
        if (strcmp(option, "idmap") == 0)
            w.maps_ids = true;
        else if (strncmp(option, lower, sizeof lower - 1) == 0)
            strv_add_split(&w.lowers, option + sizeof lower - 1, ':');
        else
            strv_add(&w.data, option);
    }
    return w;
}

static int set_string(int fs, const char *key, const char *value)
{
    return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* Quotes protect commas where options are one text, and here there are none to be protected from.
 * The caller frees. */
static char *unquoted(const char *value)
{
    size_t len = strlen(value);

    if (len < 2 || *value != '"' || value[len - 1] != '"')
        return xstrdup(value);
    return xstrndup(value + 1, len - 2);
}

static int set_data(int fs, const char *option)
{
    const char *equals = strchr(option, '=');

    if (!equals)
        return fsconfig(fs, FSCONFIG_SET_FLAG, option, NULL, 0);
    AUTO_FREE char *key = xstrndup(option, (size_t)(equals - option));
    AUTO_FREE char *value = unquoted(equals + 1);
    return set_string(fs, key, value);
}

static unsigned attributes(unsigned long flags)
{
    unsigned set = 0;

    if (flags & MS_RDONLY)
        set |= MOUNT_ATTR_RDONLY;
    if (flags & MS_NOSUID)
        set |= MOUNT_ATTR_NOSUID;
    if (flags & MS_NODEV)
        set |= MOUNT_ATTR_NODEV;
    if (flags & MS_NOEXEC)
        set |= MOUNT_ATTR_NOEXEC;
    if (flags & MS_NOATIME)
        set |= MOUNT_ATTR_NOATIME;
    return set;
}

/* Older kernels say in their log what they do not know, for each container. */
static bool kernel_takes_layers_one_by_one(void)
{
    struct utsname names;
    unsigned major, minor;

    return uname(&names) == 0 && sscanf(names.release, "%3u.%3u", &major, &minor) == 2 && // NOLINT
           (major > 6 || (major == 6 && minor >= 8));
}

/* False when this kernel cannot, or something is wrong, which mount(2) then tells in words that
 * people know. */
static bool mount_layers_one_by_one(const struct rootfs_mount *m, const struct wishes *w,
                                    const char *target)
{
    AUTO_CLOSE int fs = fsopen("overlay", FSOPEN_CLOEXEC);

    if (fs < 0 || set_string(fs, "source", m->source) < 0)
        return false;
    for (size_t i = 0; i < w->lowers.len; i++)
        if (set_string(fs, "lowerdir+", w->lowers.items[i]) < 0)
            return false;
    for (size_t i = 0; i < w->data.len; i++)
        if (set_data(fs, w->data.items[i]) < 0)
            return false;
    if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return false;
    AUTO_CLOSE int tree = fsmount(fs, FSMOUNT_CLOEXEC, attributes(w->flags));
    if (tree < 0 || (w->maps_ids && umount2(target, MNT_DETACH) < 0))
        return false;
    return move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

/* Names the layers by the numbers of descriptors, relative to the folder where these are links:
 * mount(2) takes only one page of options. */
static int shorten(struct strv *lowers, struct error *err)
{
    struct strv numbers = {0};

    for (size_t i = 0; i < lowers->len; i++) {
        int fd = open(lowers->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
            return error_errno(err, errno, "open layer %s", lowers->items[i]);
        strv_addf(&numbers, "%d", fd);
    }
    if (chdir("/proc/self/fd") < 0)
        return error_errno(err, errno, "enter /proc/self/fd");
    *lowers = numbers;
    return 0;
}

static int format_data(const struct wishes *w, struct buf *out, struct error *err)
{
    AUTO_FREE char *data = strv_join(&w->data, ",");

    out->len = 0;
    if (w->lowers.len > 0) {
        AUTO_FREE char *lowers = strv_join(&w->lowers, ":");

        if (buf_printf(out, err, "lowerdir=%s%s", lowers, *data ? "," : "") < 0)
            return -1;
    }
    return buf_append(out, data, strlen(data), err);
}

static int mount_at_once(const struct rootfs_mount *m, struct wishes *w, const char *target,
                         struct error *err)
{
    AUTO_FINI(buf) data = BUF(OPTIONS_MAX);

    if (format_data(w, &data, err) < 0)
        return -1;
    if (data.len >= PAGE && (shorten(&w->lowers, err) < 0 || format_data(w, &data, err) < 0))
        return -1;
    if (data.len >= PAGE)
        return error_set(err, ERROR_EXHAUSTED, "the mount options are longer than a page");
    if (mount(m->source, target, m->type, w->flags, data.data) < 0)
        return error_errno(err, errno, "mount %s", m->type);
    return 0;
}

static int mount_bind(const struct rootfs_mount *m, const struct wishes *w, const char *target,
                      struct error *err)
{
    unsigned long flags = w->flags | MS_BIND;

    if (mount(m->source, target, NULL, flags & (MS_BIND | MS_REC), NULL) < 0)
        return error_errno(err, errno, "bind %s", m->source);
    flags &= ~(unsigned long)MS_REC;
    if (flags != MS_BIND && mount(NULL, target, NULL, flags | MS_REMOUNT, NULL) < 0)
        return error_errno(err, errno, "change flags of %s", target);
    return 0;
}

int rootfs_mount(const struct rootfs_mount *m, const char *target, struct error *err)
{
    struct wishes w = parse(m);

    if (w.lowers.len > ROOTFS_LAYERS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d layers", ROOTFS_LAYERS_MAX);
    if (w.maps_ids && !m->userns)
        return error_set(err, ERROR_PRECONDITION, "the pod has no user namespace to map ids by");
    if (w.flags & MS_BIND || strcmp(m->type, "bind") == 0)
        return w.maps_ids ? idmapped_attach(m->source, m->userns, target, err)
                          : mount_bind(m, &w, target, err);
    /* At the target mount(2), which cannot do without them, puts the overlay on top. */
    if (w.maps_ids && w.lowers.len > 0 &&
        idmapped_attach_layers(&w.lowers, m->userns, target, err) < 0)
        return -1;
    if (w.lowers.len > 0 && kernel_takes_layers_one_by_one() &&
        mount_layers_one_by_one(m, &w, target))
        return 0;
    return mount_at_once(m, &w, target, err);
}
