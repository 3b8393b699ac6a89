// SPDX-License-Identifier: Apache-2.0
#include "imaged/untar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/map.h"
#include "image/file_sum.h"
#include "imaged/metadata.h"
#include "imaged/place.h"
#include "wire/tar.h"

#define WHITEOUT_PREFIX ".wh."
#define OPAQUE_MARK     ".wh..wh..opq"
#define AUFS_PREFIX     ".wh..wh."

enum { NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC };

/* Files from this size on are given to the disk piece by piece. */
enum { EARLY_SIZE = 128 * 1024, EARLY_PIECE = 4 * 1024 * 1024 };

/* A folder's times, to be set when nothing is made in it any more. */
struct dir_times {
    char *path;
    struct timespec times[2];
};

struct untar {
    struct tar *tar;
    struct place place;
    int file; /* that is being written; -1: none */
    uint64_t written_to;
    uint64_t given_to; /* the disk */
    uint64_t sum;      /* of all files (file_sum.h) */
    bool replaced;     /* some of those files are gone again */
    struct dir_times *dirs;
    size_t n_dirs;
    size_t cap_dirs;
    struct map stated; /* folders that had an entry, when they had been implied before */
    struct strv implied;
};

struct untar *untar_new(int root)
{
    struct untar *u = xcalloc(1, sizeof *u);

    u->tar = tar_new();
    u->file = -1;
    place_init(&u->place, root);
    return u;
}

void untar_free(struct untar *u)
{
    if (!u)
        return;
    for (size_t i = 0; i < u->n_dirs; i++)
        free(u->dirs[i].path);
    free(u->dirs);
    tar_free(u->tar);
    place_fini(&u->place);
    fd_close(&u->file);
    map_fini(&u->stated);
    strv_fini(&u->implied);
    free(u);
}

const struct strv *untar_implied(const struct untar *u)
{
    return &u->implied;
}

bool untar_sum(const struct untar *u, uint64_t *out)
{
    *out = u->sum;
    return !u->replaced;
}

static bool is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* The entry replaces what an earlier entry made at its place. */
static int clear_place(struct untar *u, struct error *err)
{
    u->replaced = true;
    if (file_remove_tree(u->place.parent, u->place.name, err) < 0)
        return -1;
    place_forget(&u->place);
    return place_find(&u->place, tar_entry(u->tar)->path, err);
}

/* Calls make; when there is something already, once more after that was removed. */
static int make_leaf(struct untar *u, int (*make)(struct untar *), const char *what,
                     struct error *err)
{
    int result = make(u);

    if (result < 0 && errno == EEXIST) {
        if (clear_place(u, err) < 0)
            return -1;
        result = make(u);
    }
    return result < 0 ? error_errno(err, errno, "create %s", what) : 0;
}

static int make_file(struct untar *u)
{
    mode_t mode = tar_entry(u->tar)->mode & 0777; /* the other bits would not survive writing */

    u->file = openat(u->place.parent, u->place.name, NEW_FILE, mode);
    u->written_to = u->given_to = 0;
    return u->file;
}

static int make_symlink(struct untar *u)
{
    return symlinkat(tar_entry(u->tar)->link, u->place.parent, u->place.name);
}

static int make_node(struct untar *u)
{
    const struct tar_entry *e = tar_entry(u->tar);
    mode_t kind = e->type == TAR_CHAR_DEVICE    ? S_IFCHR
                  : e->type == TAR_BLOCK_DEVICE ? S_IFBLK
                                                : S_IFIFO;

    return mknodat(u->place.parent, u->place.name, kind | e->mode, makedev(e->major, e->minor));
}

static int remember_dir(struct untar *u, struct error *err)
{
    struct dir_times *d;

    if (u->n_dirs == UNTAR_DIRS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "there are more than %d folders", UNTAR_DIRS_MAX);
    if (u->n_dirs == u->cap_dirs) {
        u->cap_dirs = u->cap_dirs ? 2 * u->cap_dirs : 64;
        u->dirs = xrealloc(u->dirs, u->cap_dirs * sizeof *u->dirs);
    }
    d = &u->dirs[u->n_dirs++];
    d->path = xstrdup(u->place.path);
    metadata_times(tar_entry(u->tar), d->times);
    if (u->place.implied.len > 0)
        map_put(&u->stated, u->place.path, u);
    return 0;
}

/* A folder in place of a whiteout of this layer has nothing to do with those below it. */
static int make_dir(struct untar *u, struct error *err)
{
    int parent = u->place.parent;
    const char *name = u->place.name;
    struct stat st;
    bool opaque = false;

    if (mkdirat(parent, name, 0700) < 0) {
        if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return error_errno(err, errno, "create folder");
        opaque = is_whiteout(&st);
        if (!S_ISDIR(st.st_mode)) {
            if (clear_place(u, err) < 0)
                return -1;
            if (mkdirat(u->place.parent, u->place.name, 0700) < 0)
                return error_errno(err, errno, "create folder");
        }
    }

    AUTO_CLOSE int dir =
        openat(u->place.parent, u->place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return error_errno(err, errno, "open folder");
    if (opaque && place_make_opaque(dir, err) < 0)
        return -1;
    if (metadata_apply_fd(dir, tar_entry(u->tar), err) < 0)
        return -1;
    return remember_dir(u, err);
}

static bool is_same_file(int dir_a, const char *a, int dir_b, const char *b)
{
    struct stat st_a, st_b;

    return fstatat(dir_a, a, &st_a, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(dir_b, b, &st_b, AT_SYMLINK_NOFOLLOW) == 0 && st_a.st_dev == st_b.st_dev &&
           st_a.st_ino == st_b.st_ino;
}

static int make_hard_link(struct untar *u, struct error *err)
{
    const char *to = tar_entry(u->tar)->link;
    char name[NAME_MAX + 1];
    AUTO_CLOSE int dir = place_open_parent(&u->place, to, name, err);

    if (dir < 0)
        return error_wrap(err, "link to %.200s", to);
    if (linkat(dir, name, u->place.parent, u->place.name, 0) == 0)
        return 0;
    if (errno != EEXIST)
        return error_errno(err, errno, "link to %.200s", to);
    if (is_same_file(dir, name, u->place.parent, u->place.name))
        return 0;
    if (clear_place(u, err) < 0)
        return -1;
    if (linkat(dir, name, u->place.parent, u->place.name, 0) < 0)
        return error_errno(err, errno, "link to %.200s", to);
    return 0;
}

/* Hides what lower layers have under that name. What this layer has there stays. */
static int make_whiteout(struct untar *u, const char *name, struct error *err)
{
    const struct tar_entry *e = tar_entry(u->tar);
    int parent = u->place.parent;
    struct stat st;

    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(err, ERROR_INVALID, "invalid whiteout name");
    if (mknodat(parent, name, S_IFCHR, makedev(0, 0)) == 0)
        return fchownat(parent, name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0
                   ? error_errno(err, errno, "change owner of whiteout")
                   : 0;
    if (errno != EEXIST || fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "create whiteout");
    if (!S_ISDIR(st.st_mode))
        return 0;
    AUTO_CLOSE int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return dir < 0 ? error_errno(err, errno, "open folder") : place_make_opaque(dir, err);
}

static int apply_mark(struct untar *u, struct error *err)
{
    if (strcmp(u->place.name, OPAQUE_MARK) == 0)
        return place_make_opaque(u->place.parent, err);
    if (strncmp(u->place.name, AUFS_PREFIX, strlen(AUFS_PREFIX)) == 0)
        return 0; /* what aufs keeps for itself */
    return make_whiteout(u, u->place.name + strlen(WHITEOUT_PREFIX), err);
}

static int make_entry(struct untar *u, struct error *err)
{
    const struct tar_entry *e = tar_entry(u->tar);

    switch (e->type) {
    case TAR_DIR:
        return make_dir(u, err);
    case TAR_FILE: /* its metadata comes after its data: writing drops capabilities */
        return make_leaf(u, make_file, "file", err);
    case TAR_HARD_LINK:
        if (make_hard_link(u, err) < 0)
            return -1;
        break;
    case TAR_SYMLINK:
        if (make_leaf(u, make_symlink, "symbolic link", err) < 0)
            return -1;
        break;
    case TAR_CHAR_DEVICE:
        if (e->major == 0 && e->minor == 0)
            return 0; /* it would be a whiteout */
        /* fall through */
    case TAR_BLOCK_DEVICE:
    case TAR_FIFO:
        if (make_leaf(u, make_node, "special file", err) < 0)
            return -1;
        break;
    }
    return metadata_apply_at(u->place.parent, u->place.name, e, err);
}

static int begin_entry(struct untar *u, struct error *err)
{
    if (place_find(&u->place, tar_entry(u->tar)->path, err) < 0)
        return -1;
    if (!*u->place.name)
        return 0; /* the root is ours */
    if (strncmp(u->place.name, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX)) == 0)
        return apply_mark(u, err);
    return make_entry(u, err);
}

/* The disk is to begin now, not when all is unpacked and the layer is synced: that takes long
 * enough. What small files need is little. */
static void give_to_disk(struct untar *u, uint64_t at_least)
{
    uint64_t len = u->written_to - u->given_to;

    if (u->file < 0 || len < at_least || u->written_to < EARLY_SIZE)
        return;
    sync_file_range(u->file, (off_t)u->given_to, (off_t)len, SYNC_FILE_RANGE_WRITE);
    u->given_to = u->written_to;
}

static int write_chunk(struct untar *u, struct error *err)
{
    const struct tar_chunk *c = tar_chunk(u->tar);
    const char *at = c->data;
    size_t left = c->len;
    uint64_t offset = c->offset;

    if (u->file >= 0)
        u->sum += file_sum_of(at, left, offset);
    while (u->file >= 0 && left > 0) {
        ssize_t n = pwrite(u->file, at, left, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "write");
        at += n;
        left -= (size_t)n;
        offset += (uint64_t)n;
    }
    u->written_to = offset;
    give_to_disk(u, EARLY_PIECE);
    return 0;
}

static int end_entry(struct untar *u, struct error *err)
{
    const struct tar_entry *e = tar_entry(u->tar);

    if (u->file < 0)
        return 0;
    if (u->written_to < e->size && ftruncate(u->file, (off_t)e->size) < 0)
        return error_errno(err, errno, "make a hole at the end");
    give_to_disk(u, 1);
    if (metadata_apply_fd(u->file, e, err) < 0)
        return -1;
    fd_close(&u->file);
    return 0;
}

int untar_write(struct untar *u, const void *data, size_t len, struct error *err)
{
    struct tar_input in = {data, len};

    for (;;) {
        int event = tar_next(u->tar, &in, err), result = 0;

        if (event < 0)
            return -1;
        if (event == TAR_MORE)
            return 0;
        if (event == TAR_ENTRY)
            result = begin_entry(u, err);
        else if (event == TAR_DATA)
            result = write_chunk(u, err);
        else
            result = end_entry(u, err);
        if (result < 0)
            return error_wrap(err, "%.200s", tar_entry(u->tar)->path);
    }
}

static int set_dir_times(struct untar *u, struct error *err)
{
    for (size_t i = 0; i < u->n_dirs; i++) {
        const struct dir_times *d = &u->dirs[i];
        struct error gone;
        AUTO_CLOSE int dir = place_open_dir(u->place.root, d->path, &gone);

        /* A later entry may have replaced it. */
        if (dir >= 0 && futimens(dir, d->times) < 0)
            return error_errno(err, errno, "%s: change times", d->path);
    }
    return 0;
}

int untar_finish(struct untar *u, struct error *err)
{
    if (tar_finish(u->tar, err) < 0 || set_dir_times(u, err) < 0)
        return -1;
    for (size_t i = 0; i < u->place.implied.len; i++)
        if (!map_find(&u->stated, u->place.implied.items[i]))
            strv_add(&u->implied, u->place.implied.items[i]);
    return 0;
}
