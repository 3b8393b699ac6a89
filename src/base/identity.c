// SPDX-License-Identifier: Apache-2.0
#include "base/identity.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/clock.h"

static struct identity of(const struct stat *st)
{
    return (struct identity){
        .device = st->st_dev,
        .inode = st->st_ino,
        .changed_ns = st->st_ctim.tv_sec * CLOCK_NS_PER_S + st->st_ctim.tv_nsec,
    };
}

int identity_of_fd(int fd, struct identity *out, struct error *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "look at a file");
    *out = of(&st);
    return 0;
}

int identity_of_path(const char *path, struct identity *out, struct error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return error_errno(err, errno, "look at %s", path);
    *out = of(&st);
    return 0;
}

bool identity_equals(const struct identity *a, const struct identity *b)
{
    return a->device == b->device && a->inode == b->inode && a->changed_ns == b->changed_ns;
}
