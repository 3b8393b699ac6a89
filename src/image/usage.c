// SPDX-License-Identifier: Apache-2.0
#include "image/usage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/own.h"

enum { BLOCK = 512, DEPTH_MAX = 4096 };

struct count {
    struct usage usage;
    struct map seen; /* inodes with several names */
};

static bool is_new(struct count *c, const struct stat *st)
{
    char key[32];

    if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
        return true;
    snprintf(key, sizeof key, "%" PRIx64, (uint64_t)st->st_ino);
    return !map_put(&c->seen, key, c);
}

static void add(struct count *c, const struct stat *st)
{
    if (!is_new(c, st))
        return;
    c->usage.inodes++;
    c->usage.bytes += (uint64_t)st->st_blocks * BLOCK;
    if (S_ISREG(st->st_mode))
        c->usage.content += (uint64_t)st->st_size;
}

static int measure(struct count *c, int at, const char *name, int depth, struct error *err)
{
    AUTO_CLOSE int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_CLOSEDIR DIR *dir = NULL;
    struct stat st;

    if (depth > DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "folders are more than %d deep", DEPTH_MAX);
    if (fd < 0 || fstat(fd, &st) < 0 || !(dir = fdopendir(fd)))
        return error_errno(err, errno, "measure %s", name);
    fd_take(&fd);
    add(c, &st);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, errno, "measure %s", entry->d_name);
        if (!S_ISDIR(st.st_mode))
            add(c, &st);
        else if (measure(c, dirfd(dir), entry->d_name, depth + 1, err) < 0)
            return -1;
    }
    return 0;
}

int usage_measure(int dirfd, const char *path, struct usage *out, struct error *err)
{
    struct count c = {0};
    int result = measure(&c, dirfd, path, 0, err);

    map_fini(&c.seen);
    if (result == 0)
        *out = c.usage;
    return result;
}

void usage_format(const struct usage *u, char out[static USAGE_TEXT_SIZE])
{
    snprintf(out, USAGE_TEXT_SIZE, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", u->bytes, u->inodes,
             u->content);
}

bool usage_parse(const char *text, struct usage *out)
{
    struct usage u = {.content = USAGE_UNKNOWN};

    if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, &u.bytes, &u.inodes, &u.content) < 2)
        return false;
    *out = u;
    return true;
}
