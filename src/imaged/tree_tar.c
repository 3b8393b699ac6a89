// SPDX-License-Identifier: Apache-2.0
#include "imaged/tree_tar.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/map.h"
#include "base/own.h"
#include "base/strv.h"
#include "imaged/tree_xattrs.h"
#include "wire/tar_writer.h"

enum { CHUNK = 256 * 1024 };

#define WHITEOUT_PREFIX ".wh."
#define OPAQUE_MARK     ".wh..wh..opq"

struct walk {
    tree_tar_write *write;
    void *sink;
    struct map links; /* inode number → the first path of that file */
    char *chunk;
};

static int put(struct walk *w, const struct tar_entry *e, struct error *err)
{
    AUTO_FINI(buf) head = BUF(TAR_HEAD_MAX);

    return tar_writer_head(e, &head, err) < 0 ? -1 : w->write(w->sink, head.data, head.len, err);
}

static int put_data(struct walk *w, int fd, uint64_t size, struct error *err)
{
    static const char zero[TAR_BLOCK_SIZE];

    for (uint64_t left = size; left > 0;) {
        ssize_t n = read(fd, w->chunk, left < CHUNK ? (size_t)left : CHUNK);

        if (n < 0)
            return error_errno(err, errno, "read");
        if (n == 0)
            return error_set(err, ERROR_DATA_LOSS, "it became shorter");
        if (w->write(w->sink, w->chunk, (size_t)n, err) < 0)
            return -1;
        left -= (uint64_t)n;
    }
    return size % TAR_BLOCK_SIZE ? w->write(w->sink, zero, TAR_PADDING(size), err) : 0;
}

/* A mark has no time of its own: unpacking does not keep it. */
static int put_mark(struct walk *w, const char *folder, const char *name, const struct stat *st,
                    struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s%s", folder, name);
    const struct tar_entry e = {.path = path, .link = "", .uid = st->st_uid, .gid = st->st_gid};

    return put(w, &e, err);
}

static enum tar_type type_of(mode_t mode)
{
    return S_ISDIR(mode)    ? TAR_DIR
           : S_ISLNK(mode)  ? TAR_SYMLINK
           : S_ISCHR(mode)  ? TAR_CHAR_DEVICE
           : S_ISBLK(mode)  ? TAR_BLOCK_DEVICE
           : S_ISFIFO(mode) ? TAR_FIFO
                            : TAR_FILE;
}

/* The path that the file has in the archive already, or NULL the first time. */
static const char *find_link(struct walk *w, const struct stat *st, const char *path)
{
    char inode[32];
    const char *first;

    if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
        return NULL;
    snprintf(inode, sizeof inode, "%llu", (unsigned long long)st->st_ino);
    first = map_find(&w->links, inode);
    if (!first)
        map_put(&w->links, inode, xstrdup(path));
    return first;
}

static int put_folder(struct walk *w, int dir, const char *path, struct error *err);

/* One name in an open folder; path is that of the name, with a slash behind a folder's. */
struct node {
    int dir;
    const char *name;
    const char *path;
    struct stat st;
};

/* Those that are opened: files and folders. */
static int put_opened(struct walk *w, const struct node *n, struct tar_entry *e, struct error *err)
{
    bool folder = S_ISDIR(n->st.st_mode);
    AUTO_CLOSE int fd =
        openat(n->dir, n->name,
               O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (folder ? O_DIRECTORY : 0));
    AUTO_FINI(tree_xattrs) xattrs = {0};

    if (fd < 0)
        return error_errno(err, errno, "open");
    if (tree_xattrs_load(&xattrs, fd, NULL, err) < 0)
        return -1;
    e->xattrs = xattrs.items;
    e->n_xattrs = xattrs.len;
    if (put(w, e, err) < 0)
        return -1;
    if (!folder)
        return put_data(w, fd, e->size, err);
    if (xattrs.is_opaque && put_mark(w, n->path, OPAQUE_MARK, &n->st, err) < 0)
        return -1;
    return put_folder(w, fd, n->path, err);
}

static int put_special(struct walk *w, const struct node *n, struct tar_entry *e, struct error *err)
{
    char path[sizeof "/proc/self/fd//" + 3 * sizeof n->dir + NAME_MAX], link[PATH_MAX];
    AUTO_FINI(tree_xattrs) xattrs = {0};
    ssize_t len;

    if (e->type == TAR_SYMLINK) {
        len = readlinkat(n->dir, n->name, link, sizeof link - 1);
        if (len < 0)
            return error_errno(err, errno, "read link");
        link[len] = '\0';
        e->link = link;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", n->dir, n->name);
    if (tree_xattrs_load(&xattrs, -1, path, err) < 0)
        return -1;
    e->xattrs = xattrs.items;
    e->n_xattrs = xattrs.len;
    return put(w, e, err);
}

static int put_node(struct walk *w, const struct node *n, struct error *err)
{
    const struct stat *st = &n->st;
    struct tar_entry e = {.type = type_of(st->st_mode),
                          .path = n->path,
                          .link = "",
                          .mode = st->st_mode & 07777,
                          .uid = st->st_uid,
                          .gid = st->st_gid,
                          .major = major(st->st_rdev),
                          .minor = minor(st->st_rdev),
                          .size = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0,
                          .modified = st->st_mtim};
    const char *first = find_link(w, st, n->path);

    if (first) {
        e.type = TAR_HARD_LINK;
        e.link = first;
        e.size = 0;
        return put(w, &e, err);
    }
    return e.type == TAR_FILE || e.type == TAR_DIR ? put_opened(w, n, &e, err)
                                                   : put_special(w, n, &e, err);
}

static int put_name(struct walk *w, int dir, const char *folder, const char *name,
                    struct error *err)
{
    struct node n = {.dir = dir, .name = name};
    AUTO_FREE char *path = NULL;

    if (fstatat(dir, name, &n.st, AT_SYMLINK_NOFOLLOW) < 0)
        return error_errno(err, errno, "look at %s%s", folder, name);
    if (S_ISSOCK(n.st.st_mode))
        return 0;
    if (S_ISCHR(n.st.st_mode) && n.st.st_rdev == 0) {
        AUTO_FREE char *mark = xasprintf(WHITEOUT_PREFIX "%s", name);

        return put_mark(w, folder, mark, &n.st, err);
    }
    n.path = path = xasprintf("%s%s%s", folder, name, S_ISDIR(n.st.st_mode) ? "/" : "");
    return put_node(w, &n, err) < 0 ? error_wrap(err, "%s", path) : 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(int dir, struct strv *out, struct error *err)
{
    int again = fcntl(dir, F_DUPFD_CLOEXEC, 0);
    DIR *stream = again < 0 ? NULL : fdopendir(again);

    if (!stream) {
        fd_close(&again);
        return error_errno(err, errno, "list");
    }
    for (struct dirent *entry; (entry = readdir(stream));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            strv_add(out, entry->d_name);
    closedir(stream);
    if (out->len > 0)
        qsort(out->items, out->len, sizeof *out->items, by_text);
    return 0;
}

static int put_folder(struct walk *w, int dir, const char *path, struct error *err)
{
    AUTO_FINI(strv) names = {0};

    if (list(dir, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.len; i++)
        if (put_name(w, dir, path, names.items[i], err) < 0)
            return -1;
    return 0;
}

static void forget_links(struct map *links)
{
    const struct map_slot *slot;

    for (size_t at = 0; (slot = map_next(links, &at));)
        free(slot->value);
    map_fini(links);
}

int tree_tar(const char *folder, tree_tar_write *write, void *sink, struct error *err)
{
    static const char end[TAR_END];
    AUTO_CLOSE int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FREE char *chunk = xmalloc(CHUNK);
    struct walk w = {.write = write, .sink = sink, .chunk = chunk};
    int done;

    if (dir < 0)
        return error_errno(err, errno, "open %s", folder);
    done = put_folder(&w, dir, "", err);
    forget_links(&w.links);
    return done < 0 ? error_wrap(err, "%s", folder) : write(sink, end, sizeof end, err);
}
