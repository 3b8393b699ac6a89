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
    bool is_net = begins(name, "net.");
    bool is_ipc = begins(name, "kernel.shm") || begins(name, "kernel.msg") ||
                  strcmp(name, "kernel.sem") == 0 || begins(name, "fs.mqueue.");

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

    snprintf(path, sizeof path, "/proc/sys/%s", name);
    for (char *at = path + sizeof "/proc/sys/" - 1; *at; at++)
        if (is_separator(*at))
            *at = *at == '.' ? '/' : '.';
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        return error_errno(err, errno, "set sysctl %s to \"%.100s\"", name, value);
    return 0;
}
