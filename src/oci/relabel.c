// SPDX-License-Identifier: Apache-2.0
#include "oci/relabel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/own.h"

enum { LABEL_MAX = 4096 };

static const char ATTRIBUTE[] = "security.selinux";

/* To label these would lock the node's own programs out. */
static const char *const OF_NODE[] = {
    "/",         "/bin",       "/boot",       "/dev",     "/etc",     "/etc/group", "/etc/passwd",
    "/etc/pki",  "/home",      "/etc/shadow", "/lib",     "/lib64",   "/media",     "/mnt",
    "/opt",      "/proc",      "/root",       "/run",     "/sbin",    "/srv",       "/sys",
    "/system",   "/tmp",       "/usr",        "/usr/bin", "/usr/lib", "/usr/lib64", "/usr/local",
    "/usr/sbin", "/usr/share", "/var",        "/var/lib", "/var/log", "/var/run",   "/var/tmp",
};

struct walk {
    const char *label;
    dev_t device;
};

static void path_of(int fd, char out[static 64])
{
    snprintf(out, 64, "/proc/self/fd/%d", fd);
}

static bool has_label(const char *path, const char *label)
{
    char found[LABEL_MAX + 1];
    ssize_t len = getxattr(path, ATTRIBUTE, found, LABEL_MAX);

    if (len < 0)
        return false;
    found[len] = '\0'; /* it has one of its own, or not */
    return strcmp(found, label) == 0;
}

/* fd may be O_PATH, and of a link. */
static int set_label(int fd, const char *label, struct error *err)
{
    char path[64];

    path_of(fd, path);
    if (has_label(path, label))
        return 0;
    if (setxattr(path, ATTRIBUTE, label, strlen(label) + 1, 0) < 0 && errno != EOPNOTSUPP)
        return error_errno(err, errno, "set label %s", label);
    return 0;
}

static int walk_folder(const struct walk *w, int fd, int depth, struct error *err);

static int walk_entry(const struct walk *w, int parent, const char *name, int depth,
                      struct error *err)
{
    AUTO_CLOSE int fd = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "%s", name);
    if (st.st_dev != w->device)
        return 0;
    if (S_ISDIR(st.st_mode) && walk_folder(w, fd, depth + 1, err) < 0)
        return error_wrap(err, "%s", name);
    return set_label(fd, w->label, err) < 0 ? error_wrap(err, "%s", name) : 0;
}

static int walk_folder(const struct walk *w, int fd, int depth, struct error *err)
{
    AUTO_CLOSE int readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_CLOSEDIR DIR *dir = NULL;

    if (depth > RELABEL_DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d folders deep", RELABEL_DEPTH_MAX);
    if (readable >= 0)
        dir = fdopendir(readable);
    if (!dir)
        return error_errno(err, errno, "read folder");
    fd_take(&readable);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            walk_entry(w, dirfd(dir), entry->d_name, depth, err) < 0)
            return -1;
    return 0;
}

static int check_path(const char *path, struct error *err)
{
    for (size_t i = 0; i < COUNT_OF(OF_NODE); i++)
        if (strcmp(path, OF_NODE[i]) == 0)
            return error_set(err, ERROR_INVALID, "selinux_relabel: %s is not to be relabelled",
                             path);
    return 0;
}

int relabel_tree(const char *path, const char *label, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    struct walk w = {.label = label};
    char by_fd[64];
    struct stat st;

    if (check_path(path, err) < 0)
        return -1;
    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "relabel %s", path);
    path_of(fd, by_fd);
    if (has_label(by_fd, label))
        return 0;
    w.device = st.st_dev;
    if ((S_ISDIR(st.st_mode) && walk_folder(&w, fd, 0, err) < 0) || set_label(fd, label, err) < 0)
        return error_wrap(err, "relabel %s", path);
    return 0;
}
