// SPDX-License-Identifier: Apache-2.0
#include "imaged/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/map.h"
#include "imaged/inflate.h"
#include "imaged/place.h"
#include "imaged/stop.h"
#include "wire/tar.h"

enum { CHUNK = 512 * 1024, INDEX_CHUNK = 16 * 1024 };

/* A name in a tar file. */
struct member {
    uint64_t at;
    uint64_t size;
    char *link; /* NULL for a file: the cleaned name it stands for */
    struct member *next;
};

struct archive {
    int fd;
    bool is_folder;
    struct map members;
    struct member *all;
};

void archive_free(struct archive *a)
{
    if (!a)
        return;
    while (a->all) {
        struct member *m = a->all;

        a->all = m->next;
        free(m->link);
        free(m);
    }
    map_fini(&a->members);
    fd_close(&a->fd);
    free(a);
}

/* A link in a folder of the archive stands for a name in it. */
static int resolve_link(const struct tar_entry *e, const char *name, char out[static PATH_MAX],
                        struct error *err)
{
    const char *slash = strrchr(name, '/');
    AUTO_FREE char *joined = e->type == TAR_SYMLINK && slash && e->link[0] != '/'
                                 ? xasprintf("%.*s/%s", (int)(slash - name), name, e->link)
                                 : xstrdup(e->link);

    return place_clean(joined, out, err);
}

static int add_member(struct archive *a, const struct tar_entry *e, uint64_t at, struct error *err)
{
    bool is_link = e->type == TAR_SYMLINK || e->type == TAR_HARD_LINK;
    char name[PATH_MAX], target[PATH_MAX];
    struct member *m;

    if (e->type != TAR_FILE && !is_link)
        return 0;
    if (place_clean(e->path, name, err) < 0 || (is_link && resolve_link(e, name, target, err) < 0))
        return -1;
    if (e->sparse)
        return error_set(err, ERROR_UNIMPLEMENTED, "%s is a sparse file", e->path);
    if (a->members.len == ARCHIVE_FILES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "it has more than %d files", ARCHIVE_FILES_MAX);
    m = xcalloc(1, sizeof *m);
    m->at = at;
    m->size = e->size;
    m->link = is_link ? xstrdup(target) : NULL;
    m->next = a->all;
    a->all = m;
    map_put(&a->members, name, m);
    return 0;
}

/* Notes where the members are and leaps over their bytes. */
static int read_index(struct archive *a, struct error *err)
{
    AUTO(tar) *tar = tar_new();
    AUTO_FREE char *bytes = xmalloc(INDEX_CHUNK);
    struct tar_input in = {bytes, 0};
    uint64_t at = 0; /* of what follows in */

    for (;;) {
        int event = tar_next(tar, &in, err);

        if (event < 0)
            return -1;
        if (event == TAR_ENTRY) {
            uint64_t start = at - in.len, skip = tar_skip(tar);

            if (add_member(a, tar_entry(tar), start, err) < 0)
                return -1;
            at = start + skip;
            in.len = 0;
        }
        if (in.len == 0) {
            ssize_t n = pread(a->fd, bytes, INDEX_CHUNK, (off_t)at);

            if (n < 0)
                return error_errno(err, errno, "read");
            if (n == 0)
                return tar_finish(tar, err);
            in = (struct tar_input){bytes, (size_t)n};
            at += (uint64_t)n;
        }
    }
}

static int write_inflated(struct inflate *i, int to, const char *bytes, size_t len, char *room,
                          struct error *err)
{
    struct inflate_input in = {bytes, len};
    ssize_t n;

    do {
        n = inflate_next(i, &in, room, CHUNK, err);
        if (n < 0 || fd_write_all(to, room, (size_t)n, err) < 0)
            return -1;
    } while (in.len > 0 || n == CHUNK);
    return stop_check(err);
}

static int inflate_file(int from, int to, struct error *err)
{
    AUTO(inflate) *i = inflate_new();
    AUTO_FREE char *bytes = xmalloc(CHUNK), *room = xmalloc(CHUNK);
    ssize_t n;

    while ((n = read(from, bytes, CHUNK)) > 0)
        if (write_inflated(i, to, bytes, (size_t)n, room, err) < 0)
            return -1;
    if (n < 0)
        return error_errno(err, errno, "read");
    n = inflate_finish(i, room, err);
    return n < 0 ? -1 : fd_write_all(to, room, (size_t)n, err);
}

static int open_tar(struct archive *a, const char *tmp_folder, struct error *err)
{
    char magic[INFLATE_MAGIC_MAX];
    ssize_t n = pread(a->fd, magic, sizeof magic, 0);

    if (n < 0)
        return error_errno(err, errno, "read");
    if (inflate_detect(magic, (size_t)n) != INFLATE_PLAIN) {
        AUTO_CLOSE int tmp = open(tmp_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        if (tmp < 0)
            return error_errno(err, errno, "create a file in %s", tmp_folder);
        if (inflate_file(a->fd, tmp, err) < 0)
            return -1;
        fd_close(&a->fd);
        a->fd = fd_take(&tmp);
    }
    return read_index(a, err);
}

struct archive *archive_open(const char *path, const char *tmp_folder, struct error *err)
{
    AUTO(archive) *a = xcalloc(1, sizeof *a);
    struct stat st;

    a->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (a->fd < 0 || fstat(a->fd, &st) < 0) {
        error_errno(err, errno, "open %s", path);
        return NULL;
    }
    a->is_folder = S_ISDIR(st.st_mode);
    if (!a->is_folder && open_tar(a, tmp_folder, err) < 0) {
        error_wrap(err, "%s", path);
        return NULL;
    }
    return TAKE(a);
}

static int find_in_folder(const struct archive *a, const char *name, struct archive_file *out,
                          struct error *err)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    AUTO_CLOSE int fd = (int)syscall(SYS_openat2, a->fd, name, &how, sizeof how);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return error_errno(err, errno, "open %s", name);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ERROR_INVALID, "%s is no file", name);
    *out = (struct archive_file){fd_take(&fd), 0, (uint64_t)st.st_size};
    return 0;
}

static int find_in_tar(const struct archive *a, const char *name, struct archive_file *out,
                       struct error *err)
{
    char cleaned[PATH_MAX];
    const char *at = cleaned;

    if (place_clean(name, cleaned, err) < 0)
        return -1;
    for (int links = 0; links < ARCHIVE_LINKS_MAX; links++) {
        const struct member *m = map_find(&a->members, at);
        AUTO_CLOSE int fd = -1;

        if (!m)
            return error_set(err, ERROR_NOT_FOUND, "there is no %s in it", name);
        if (m->link) {
            at = m->link;
            continue;
        }
        fd = fcntl(a->fd, F_DUPFD_CLOEXEC, 0);
        if (fd < 0)
            return error_errno(err, errno, "open %s", name);
        *out = (struct archive_file){fd_take(&fd), m->at, m->size};
        return 0;
    }
    return error_set(err, ERROR_INVALID, "%s: too many links", name);
}

int archive_find(const struct archive *a, const char *name, struct archive_file *out,
                 struct error *err)
{
    return a->is_folder ? find_in_folder(a, name, out, err) : find_in_tar(a, name, out, err);
}

bool archive_has(const struct archive *a, const char *name)
{
    struct archive_file file;
    struct error absent;

    if (archive_find(a, name, &file, &absent) < 0)
        return false;
    fd_close(&file.fd);
    return true;
}

static int append(void *sink, const void *data, size_t len, struct error *err)
{
    return buf_append(sink, data, len, err);
}

int archive_load(const struct archive *a, const char *name, struct buf *out, struct error *err)
{
    return archive_read(a, name, append, out, err);
}

int archive_read(const struct archive *a, const char *name, archive_write *write, void *sink,
                 struct error *err)
{
    struct archive_file file = {.fd = -1};
    int found = archive_find(a, name, &file, err);
    AUTO_CLOSE int fd = file.fd;
    AUTO_FREE char *bytes = NULL;

    if (found < 0)
        return -1;
    bytes = xmalloc(CHUNK);
    for (uint64_t at = 0; at < file.size;) {
        uint64_t left = file.size - at;
        ssize_t n = pread(fd, bytes, left < CHUNK ? (size_t)left : CHUNK, (off_t)(file.at + at));

        if (n < 0)
            return error_errno(err, errno, "read %s", name);
        if (n == 0)
            return error_set(err, ERROR_DATA_LOSS, "%s is cut off", name);
        if (write(sink, bytes, (size_t)n, err) < 0)
            return -1;
        at += (uint64_t)n;
    }
    return 0;
}
