// SPDX-License-Identifier: Apache-2.0
#include "ctl/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"

/* The writer makes the new file and then stops using the old one: so long it is waited for. */
enum { ROTATION_MS = 50, SKIP_CHUNK = 16 * 1024 };

struct log_file {
    char *path;
    int fd;
    int watch; /* inotify on the folder; -1 when there is none to be had, then waiting is polling */
    off_t at;
};

static int watch_folder(const char *path)
{
    AUTO_FREE char *folder = xstrdup(path);
    char *slash = strrchr(folder, '/');
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (slash)
        *slash = '\0';
    if (inotify_add_watch(watch, slash ? folder : ".", IN_CREATE | IN_MOVED_TO | IN_MODIFY) < 0)
        fd_close(&watch);
    return watch;
}

struct log_file *log_file_open(const char *path, struct error *err)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct log_file *f;

    if (fd < 0) {
        error_errno(err, errno, "open the log %s", path);
        return NULL;
    }
    f = xcalloc(1, sizeof *f);
    f->path = xstrdup(path);
    f->fd = fd_take(&fd);
    f->watch = watch_folder(path);
    return f;
}

void log_file_free(struct log_file *f)
{
    if (!f)
        return;
    fd_close(&f->fd);
    fd_close(&f->watch);
    free(f->path);
    free(f);
}

static ssize_t read_more(struct log_file *f, char *data, size_t size, struct error *err)
{
    ssize_t n = pread(f->fd, data, size, f->at);

    if (n < 0)
        return error_errno(err, errno, "read the log %s", f->path);
    f->at += n;
    return n;
}

/* Whether the path names another file by now. */
static bool is_replaced(const struct log_file *f)
{
    struct stat ours, theirs;

    return fstat(f->fd, &ours) == 0 && stat(f->path, &theirs) == 0 &&
           (ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev);
}

static void rewind_if_cut(struct log_file *f)
{
    struct stat st;

    if (fstat(f->fd, &st) == 0 && st.st_size < f->at)
        f->at = 0;
}

/* Goes on to the new file once the old one has nothing more. */
static ssize_t read_across(struct log_file *f, char *data, size_t size, struct error *err)
{
    ssize_t n;
    int fd;

    nanosleep(&(struct timespec){.tv_nsec = ROTATION_MS * 1000000L}, NULL);
    n = read_more(f, data, size, err);
    if (n != 0)
        return n;
    fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0; /* renamed again: the next read sees to it */
    fd_close(&f->fd);
    f->fd = fd;
    f->at = 0;
    return read_more(f, data, size, err);
}

/* Counts ends of lines backwards; true when *n stands behind the one too many. */
static bool count_back(const char *chunk, ssize_t *n, int64_t *ends)
{
    for (; *n > 0; --*n)
        if (chunk[*n - 1] == '\n' && (*ends)-- == 0)
            return true;
    return false;
}

/* Where the line begins that so many ends of lines follow, looking backwards from size; 0 when
 * there are not so many. */
static int find_line(struct log_file *f, off_t size, int64_t ends, off_t *out, struct error *err)
{
    char chunk[SKIP_CHUNK];

    *out = 0;
    for (off_t end = size; end > 0;) {
        off_t start = end > SKIP_CHUNK ? end - SKIP_CHUNK : 0;
        ssize_t n = pread(f->fd, chunk, (size_t)(end - start), start);

        if (n <= 0)
            return n < 0 ? error_errno(err, errno, "read the log %s", f->path) : 0;
        if (count_back(chunk, &n, &ends)) {
            *out = start + n;
            return 0;
        }
        end = start;
    }
    return 0;
}

int log_file_skip(struct log_file *f, int64_t lines, struct error *err)
{
    struct stat st;

    if (fstat(f->fd, &st) < 0)
        return error_errno(err, errno, "look at the log %s", f->path);
    f->at = st.st_size;
    return lines > 0 ? find_line(f, st.st_size, lines, &f->at, err) : 0;
}

ssize_t log_file_read(struct log_file *f, char *data, size_t size, struct error *err)
{
    ssize_t n = read_more(f, data, size, err);

    if (n == 0)
        rewind_if_cut(f);
    return n == 0 && is_replaced(f) ? read_across(f, data, size, err) : n;
}

void log_file_wait(struct log_file *f, int cancel_fd, int timeout_ms)
{
    struct pollfd fds[] = {{.fd = f->watch, .events = POLLIN}, {.fd = cancel_fd, .events = POLLIN}};
    char events[4096];

    if (poll(fds, 2, timeout_ms) > 0 && fds[0].revents)
        while (read(f->watch, events, sizeof events) > 0)
            continue;
}
