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
#include "image/file_sum.h"

enum { BLOCK = 512, DEPTH_MAX = 4096 };

struct count {
    struct usage usage;
    struct map seen; /* inodes with several names */
    enum usage_depth depth;
};

/* FNV-1a, on and on; mix() spreads what came of it. */
static const uint64_t hash_start = UINT64_C(0xCBF29CE484222325);
static const uint64_t hash_prime = UINT64_C(0x100000001B3);

static uint64_t hash(uint64_t so_far, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i++)
        so_far = (so_far ^ at[i]) * hash_prime;
    return so_far;
}

static uint64_t mix(uint64_t value)
{
    value = (value ^ value >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return value ^ value >> 32;
}

/* Folders inherit owners, modes and times when the layer gets its name, and their sizes are the
 * file system's. */
static uint64_t hash_of(uint64_t path, const struct stat *st)
{
    const uint64_t kind = st->st_mode & S_IFMT;
    const uint64_t facts[] = {(uint64_t)st->st_size,
                              (uint64_t)st->st_mtim.tv_sec,
                              (uint64_t)st->st_mtim.tv_nsec,
                              st->st_uid,
                              st->st_gid,
                              st->st_mode,
                              st->st_rdev};

    path = hash(path, &kind, sizeof kind);
    return mix(S_ISDIR(st->st_mode) ? path : hash(path, facts, sizeof facts));
}

static bool is_new(struct count *c, const struct stat *st)
{
    char key[32];

    if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
        return true;
    snprintf(key, sizeof key, "%" PRIx64, (uint64_t)st->st_ino);
    return !map_put(&c->seen, key, c);
}

static int add_data(struct count *c, int at, const char *name, struct error *err)
{
    AUTO_CLOSE int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    uint64_t sum = 0;

    if (fd < 0)
        return error_errno(err, errno, "open");
    if (file_sum_read(fd, &sum, err) < 0)
        return -1;
    c->usage.data += sum;
    return 0;
}

static int add(struct count *c, int at, const char *name, const struct stat *st, struct error *err)
{
    if (!is_new(c, st))
        return 0;
    c->usage.inodes++;
    c->usage.bytes += (uint64_t)st->st_blocks * BLOCK;
    if (!S_ISREG(st->st_mode))
        return 0;
    c->usage.content += (uint64_t)st->st_size;
    return c->depth == USAGE_DATA ? add_data(c, at, name, err) : 0;
}

static int measure(struct count *c, int at, const char *name, uint64_t path, int depth,
                   struct error *err);

static int measure_entry(struct count *c, int at, const char *name, uint64_t path, int depth,
                         struct error *err)
{
    struct stat st;

    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "measure %s", name);
    path = hash(path, name, strlen(name) + 1);
    c->usage.names += hash_of(path, &st);
    if (S_ISDIR(st.st_mode))
        return measure(c, at, name, path, depth + 1, err);
    return add(c, at, name, &st, err) < 0 ? error_wrap(err, "measure %s", name) : 0;
}

static int measure(struct count *c, int at, const char *name, uint64_t path, int depth,
                   struct error *err)
{
    AUTO_CLOSE int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    AUTO_CLOSEDIR DIR *dir = NULL;
    struct stat st;

    if (depth > DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "folders are more than %d deep", DEPTH_MAX);
    if (fd < 0 || fstat(fd, &st) < 0 || !(dir = fdopendir(fd)))
        return error_errno(err, errno, "measure %s", name);
    fd_take(&fd);
    if (add(c, at, name, &st, err) < 0)
        return -1;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (measure_entry(c, dirfd(dir), entry->d_name, path, depth, err) < 0)
            return -1;
    }
    return 0;
}

int usage_measure(int dirfd, const char *path, enum usage_depth depth, struct usage *out,
                  struct error *err)
{
    struct count c = {.depth = depth};
    int result = measure(&c, dirfd, path, hash_start, 0, err);

    map_fini(&c.seen);
    if (depth != USAGE_DATA)
        c.usage.data = USAGE_UNKNOWN;
    if (result == 0)
        *out = c.usage;
    return result;
}

void usage_format(const struct usage *u, char out[static USAGE_TEXT_SIZE])
{
    snprintf(out, USAGE_TEXT_SIZE,
             "%" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 " %016" PRIx64 "\n", u->bytes,
             u->inodes, u->content, u->names, u->data);
}

bool usage_parse(const char *text, struct usage *out)
{
    struct usage u = {.content = USAGE_UNKNOWN, .names = USAGE_UNKNOWN, .data = USAGE_UNKNOWN};

    if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNx64, &u.bytes,
               &u.inodes, &u.content, &u.names, &u.data) < 2)
        return false;
    *out = u;
    return true;
}

static bool agree(uint64_t stated, uint64_t found)
{
    return stated == found || stated == USAGE_UNKNOWN || found == USAGE_UNKNOWN;
}

bool usage_is_same(const struct usage *stated, const struct usage *found)
{
    return stated->inodes == found->inodes && agree(stated->content, found->content) &&
           agree(stated->names, found->names) && agree(stated->data, found->data);
}
