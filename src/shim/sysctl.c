// SPDX-License-Identifier: Apache-2.0
#include "shim/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

enum { NAME_LEN_MAX = 256 };

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* net.ipv4.x, or the same with slashes: net/ipv4/x. */
static bool is_of(const char *name, const char *area)
{
    size_t len = strlen(area);

    return begins(name, area) && (name[len] == '.' || name[len] == '/');
}

/* What kernel.NAME begins with. */
static bool is_of_kernel(const char *name, const char *begin)
{
    return is_of(name, "kernel") && begins(name + strlen("kernel."), begin);
}

static bool is_separator(char c)
{
    return c == '.' || c == '/';
}

/* No two separators in a row: the name becomes a path, which then has neither ".." nor "//". */
static bool is_well_formed(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    char before = '.';

    if (strlen(name) > NAME_LEN_MAX)
        return false;
    for (const char *at = name; *at; before = *at++)
        if (is_separator(*at) ? is_separator(before) : !strchr(letters, *at))
            return false;
    return !is_separator(before);
}

int sysctl_check(const char *name, const struct sysctl_scope *scope, struct error *err)
{
    bool is_net = is_of(name, "net");
    bool is_ipc = is_of_kernel(name, "shm") || is_of_kernel(name, "msg") ||
                  (is_of_kernel(name, "sem") && strlen(name) == strlen("kernel.sem")) ||
                  (is_of(name, "fs") && is_of(name + strlen("fs."), "mqueue"));

    if (!is_well_formed(name))
        return error_set(err, ERROR_INVALID, "sysctl \"%.*s\" is not a name of one", NAME_LEN_MAX,
                         name);
    if (!is_net && !is_ipc)
        return error_set(err, ERROR_INVALID,
                         "sysctl %s is not kept per namespace: it would change "
                         "the whole host",
                         name);
    if (is_net && !scope->has_net)
        return error_set(err, ERROR_INVALID, "sysctl %s: the pod is in the host's network", name);
    if (is_ipc && !scope->has_ipc)
        return error_set(err, ERROR_INVALID, "sysctl %s: the pod is in the host's IPC namespace",
                         name);
    return 0;
}

int sysctl_write(const char *name, const char *value, struct error *err)
{
    char path[sizeof "/proc/sys/" + NAME_LEN_MAX];
    /* What the first separator is tells which of the two ways of writing it is. */
    bool has_dots = name[strcspn(name, "./")] == '.';

    /* To write nothing changes nothing, and says so to nobody. */
    if (!*value)
        return error_set(err, ERROR_INVALID, "set sysctl %s: its value is empty", name);
    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *at = path + sizeof "/proc/sys/" - 1; has_dots && *at; at++)
        if (is_separator(*at))
            *at = *at == '.' ? '/' : '.';
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return error_errno(err, errno, "set sysctl %s to \"%.100s\"", name, value);
    return 0;
}
