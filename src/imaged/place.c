// SPDX-License-Identifier: Apache-2.0
#include "imaged/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"

enum { DIR_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC, IMPLIED_MODE = 0755 };

static int open_in_root(int root, const char *path, int flags)
{
    struct open_how how = {.flags = (uint64_t)flags,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd;

    /* The kernel gives up with EAGAIN when anything on the machine is renamed while it walks "..".
     */
    do
        fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof how);
    while (fd < 0 && (errno == EAGAIN || errno == EINTR));
    return fd;
}

/* How many folders lie above that one; SIZE_MAX when its path is too long to tell. */
static size_t depth_of(int dir)
{
    char link[sizeof "/proc/self/fd/" + 3 * sizeof dir], path[PATH_MAX];
    size_t depth = 0;
    ssize_t len;

    snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    len = readlink(link, path, sizeof path);
    if (len < 0 || (size_t)len == sizeof path)
        return SIZE_MAX;
    for (ssize_t i = 0; i < len; i++)
        depth += path[i] == '/';
    return depth;
}

void place_init(struct place *p, int root)
{
    *p = (struct place){.root = root, .root_depth = depth_of(root), .parent = -1, .name = p->path};
}

void place_fini(struct place *p)
{
    fd_close(&p->parent);
    strv_fini(&p->implied);
}

void place_forget(struct place *p)
{
    fd_close(&p->parent);
}

int place_make_opaque(int dir, struct error *err)
{
    if (fsetxattr(dir, "trusted.overlay.opaque", "y", 1, 0) < 0)
        return error_errno(err, errno, "mark folder opaque");
    return 0;
}

int place_open_dir(int root, const char *path, struct error *err)
{
    int fd = open_in_root(root, path, DIR_FLAGS | O_NOFOLLOW);

    return fd < 0 ? error_errno(err, errno, "open folder %.200s", path) : fd;
}

/* Appends one part of a path to out, or takes the last one away for "..". */
static int push_part(char out[static PATH_MAX], const char *part, size_t len, struct error *err)
{
    size_t used = strlen(out);

    if (len == 0 || (len == 1 && part[0] == '.'))
        return 0;
    if (len == 2 && memcmp(part, "..", 2) == 0) {
        char *slash = strrchr(out, '/');

        *(slash ? slash : out) = '\0';
        return 0;
    }
    if (used + 1 + len >= PATH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "a path has more than %d bytes", PATH_MAX - 1);
    if (used)
        out[used++] = '/';
    memcpy(out + used, part, len);
    out[used + len] = '\0';
    return 0;
}

int place_clean(const char *path, char out[static PATH_MAX], struct error *err)
{
    out[0] = '\0';
    for (const char *at = path; *at; at += *at == '/') {
        size_t len = strcspn(at, "/");

        if (push_part(out, at, len, err) < 0)
            return -1;
        at += len;
    }
    return 0;
}

/* Where the name begins in a cleaned path. */
static size_t name_at(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash + 1 - path) : 0;
}

static void cut_name(char *path)
{
    char *slash = strrchr(path, '/');

    *(slash ? slash : path) = '\0';
}

/* Links can lead far below what the path of an entry shows, and who removes the tree later has to
 * come back from there. */
static int check_depth(const struct place *p, int dir, struct error *err)
{
    if (depth_of(dir) > p->root_depth + PLACE_DEPTH_MAX)
        return error_set(err, ERROR_EXHAUSTED, "folders are more than %d deep", PLACE_DEPTH_MAX);
    return 0;
}

/* Making parents, part by part. done is the path so far, free of links; todo what is to come. */
struct walk {
    struct place *place;
    int dir;
    char done[PATH_MAX];
    char todo[2 * PATH_MAX];
    int links;
};

static int descend(struct walk *w, const char *part, struct error *err)
{
    int fd = openat(w->dir, part, DIR_FLAGS | O_NOFOLLOW);

    if (fd < 0)
        return error_errno(err, errno, "open folder %.200s", w->done);
    fd_close(&w->dir);
    w->dir = fd;
    return 0;
}

static int go_back_to(struct walk *w, struct error *err)
{
    int fd = place_open_dir(w->place->root, w->done, err);

    if (fd < 0)
        return -1;
    fd_close(&w->dir);
    w->dir = fd;
    return 0;
}

/* Puts the link's target in front of what is to come. */
static int follow(struct walk *w, const char *part, struct error *err)
{
    char target[PATH_MAX], rest[2 * PATH_MAX];
    ssize_t len = readlinkat(w->dir, part, target, sizeof target - 1);
    size_t rest_len = strlen(w->todo);

    if (len < 0)
        return error_errno(err, errno, "read link %.200s", w->done);
    if (++w->links > PLACE_LINKS_MAX)
        return error_errno(err, ELOOP, "follow link %.200s", w->done);
    if ((size_t)len + 1 + rest_len >= sizeof w->todo)
        return error_errno(err, ENAMETOOLONG, "follow link %.200s", w->done);
    memcpy(rest, w->todo, rest_len + 1);
    memcpy(w->todo, target, (size_t)len);
    w->todo[len] = '/';
    memcpy(w->todo + len + 1, rest, rest_len + 1);
    cut_name(w->done);
    if (target[0] == '/')
        w->done[0] = '\0';
    return go_back_to(w, err);
}

static int make_dir(struct walk *w, const char *part, bool opaque, struct error *err)
{
    struct strv *implied = &w->place->implied;

    if (check_depth(w->place, w->dir, err) < 0)
        return -1;
    if (implied->len == PLACE_IMPLIED_MAX)
        return error_set(err, ERROR_EXHAUSTED, "more than %d folders have no entry of their own",
                         PLACE_IMPLIED_MAX);
    if (mkdirat(w->dir, part, IMPLIED_MODE) < 0)
        return error_errno(err, errno, "create folder %.200s", w->done);
    strv_add(implied, w->done);
    if (descend(w, part, err) < 0)
        return -1;
    return opaque ? place_make_opaque(w->dir, err) : 0;
}

static int walk_part(struct walk *w, const char *part, struct error *err)
{
    struct stat st;

    if (push_part(w->done, part, strlen(part), err) < 0)
        return -1;
    if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
        return go_back_to(w, err);
    if (fstatat(w->dir, part, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? make_dir(w, part, false, err)
                               : error_errno(err, errno, "look at %.200s", w->done);
    if (S_ISLNK(st.st_mode))
        return follow(w, part, err);
    if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(0, 0)) {
        if (unlinkat(w->dir, part, 0) < 0)
            return error_errno(err, errno, "replace whiteout %.200s", w->done);
        return make_dir(w, part, true, err);
    }
    return descend(w, part, err);
}

static int make_parents(struct place *p, const char *path, struct error *err)
{
    struct walk w = {.place = p, .dir = -1};
    int result = go_back_to(&w, err);

    memcpy(w.todo, path, strlen(path) + 1);
    while (result == 0 && w.todo[0]) {
        char part[NAME_MAX + 1];
        size_t len = strcspn(w.todo, "/"), skip = len + (w.todo[len] == '/');

        if (len > NAME_MAX)
            result = error_errno(err, ENAMETOOLONG, "create folder %.200s", path);
        else {
            memcpy(part, w.todo, len);
            part[len] = '\0';
            memmove(w.todo, w.todo + skip, strlen(w.todo + skip) + 1);
            result = len ? walk_part(&w, part, err) : 0;
        }
    }
    if (result < 0)
        fd_close(&w.dir);
    return w.dir;
}

static int open_parent(struct place *p, const char *path, struct error *err)
{
    AUTO_CLOSE int fd = open_in_root(p->root, path, DIR_FLAGS);

    if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
        return error_errno(err, errno, "open folder %.200s", path);
    if (fd < 0)
        fd = make_parents(p, path, err);
    return fd < 0 || check_depth(p, fd, err) < 0 ? -1 : fd_take(&fd);
}

int place_find(struct place *p, const char *path, struct error *err)
{
    char parent[PATH_MAX];
    size_t at;
    int fd;

    if (place_clean(path, p->path, err) < 0)
        return -1;
    at = name_at(p->path);
    p->name = p->path + at;
    p->parent_len = at ? at - 1 : 0;
    if (!*p->name)
        return 0;
    memcpy(parent, p->path, p->parent_len);
    parent[p->parent_len] = '\0';
    /* Archives keep the entries of a folder together. */
    if (p->parent >= 0 && strcmp(parent, p->cached) == 0)
        return 0;
    fd = open_parent(p, parent, err);
    if (fd < 0)
        return -1;
    fd_close(&p->parent);
    p->parent = fd;
    memcpy(p->cached, parent, p->parent_len + 1);
    return 0;
}

int place_open_parent(const struct place *p, const char *path, char out_name[static NAME_MAX + 1],
                      struct error *err)
{
    char cleaned[PATH_MAX];
    size_t at, len;
    int fd;

    if (place_clean(path, cleaned, err) < 0)
        return -1;
    at = name_at(cleaned);
    len = strlen(cleaned + at);
    if (len == 0 || len > NAME_MAX)
        return error_set(err, ERROR_NOT_FOUND, "there is no %.200s", path);
    memcpy(out_name, cleaned + at, len + 1);
    cleaned[at ? at - 1 : 0] = '\0';
    fd = open_in_root(p->root, cleaned, DIR_FLAGS);
    return fd < 0 ? error_errno(err, errno, "open folder of %.200s", path) : fd;
}
