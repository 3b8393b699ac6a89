// SPDX-License-Identifier: Apache-2.0
#include "shim/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "shim/offload.h"

/* How long a disk may take while the shim waits for it and does nothing else. */
enum { OPEN_PATIENCE_MS = 5000, REOPEN_PATIENCE_MS = 1000, WRITE_PATIENCE_MS = 20 };

/* ---- opening ---- */

struct log_opening {
    struct offload_job job;
    char *path;
    bool has_parents; /* to be made */
    int fd;
    struct error err;
};

static int open_file(const char *path, struct error *err)
{
    /* Non-blocking, lest a FIFO in its place stops the shim. */
    AUTO_CLOSE int fd = open(
        path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640);
    struct stat st;

    if (fd < 0)
        return error_errno(err, errno, "open log file %s", path);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return error_set(err, ERROR_INVALID, "open log file %s: not a regular file", path);
    return fd_take(&fd);
}

static int make_parent(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');

    if (path[0] != '/')
        return error_set(err, ERROR_INVALID, "log file %s: the path is not absolute", path);
    if (slash == path)
        return 0;
    AUTO_FREE char *parent = xstrndup(path, (size_t)(slash - path));
    if (file_make_dirs(parent, 0755, err) < 0)
        return error_wrap(err, "log file %s", path);
    return 0;
}

static void work_open(struct offload_job *j)
{
    struct log_opening *o = LIST_OF(j, struct log_opening, job);

    if (!o->has_parents || make_parent(o->path, &o->err) == 0)
        o->fd = open_file(o->path, &o->err);
}

static void log_opening_free(struct log_opening *o)
{
    if (!o)
        return;
    fd_close(&o->fd);
    free(o->path);
    free(o);
}
DEFINE_AUTO(log_opening)

/* Nobody waits for it any more. */
static void on_opened_late(struct offload_job *j)
{
    log_opening_free(LIST_OF(j, struct log_opening, job));
}

static int open_beside(const char *path, bool has_parents, int64_t patience_ms, struct error *err)
{
    AUTO(log_opening) *o = xcalloc(1, sizeof *o);

    *o = (struct log_opening){.job = {.work = work_open, .done = on_opened_late},
                              .path = xstrdup(path),
                              .has_parents = has_parents,
                              .fd = -1};
    if (!offload_run(&o->job, patience_ms)) {
        TAKE(o);
        return error_set(err, ERROR_DEADLINE, "open log file %s: the disk does not answer", path);
    }
    if (o->fd < 0)
        *err = o->err;
    return fd_take(&o->fd);
}

int log_file_open(struct log_file *f, const char *path, struct error *err)
{
    int fd = open_beside(path, true, OPEN_PATIENCE_MS, err);

    if (fd < 0)
        return -1;
    *f = (struct log_file){.path = xstrdup(path),
                           .fd = fd,
                           .backlog = BUF(LOG_FILE_BACKLOG_MAX),
                           .resumed = f->resumed};
    return 0;
}

/* ---- writing ---- */

struct log_write {
    struct offload_job job;
    struct log_file *file; /* NULL: it was closed meanwhile */
    int fd;                /* the file's */
    int own_fd;            /* the same, to be closed in the end, when the file was closed; or -1 */
    bool is_torn;
    struct buf bytes;
    struct buf rest; /* what is to be written then, when the file was closed */
    size_t done;
    int errnum;
};

/* The last one is kept for the next. */
static struct log_write *spare;

static void log_write_free(struct log_write *w)
{
    if (!w)
        return;
    buf_fini(&w->bytes);
    buf_fini(&w->rest);
    fd_close(&w->own_fd);
    free(w);
}

void log_file_give_back(void)
{
    log_write_free(TAKE(spare));
}

static void let_go(struct log_write *w)
{
    w->bytes.len = 0;
    log_write_free(spare);
    spare = w;
}

static void lose(struct log_file *f, int errnum, size_t bytes)
{
    if (f->lost_bytes == 0)
        log_warn("log file %s: %s; output is thrown away until it can be written again", f->path,
                 strerror(errnum));
    f->lost_bytes += bytes;
}

/* Ends a record that a full disk cut off, lest the next one sticks to it. */
static int mend(struct log_write *w)
{
    if (w->is_torn && write(w->fd, "\n", 1) != 1)
        return -1;
    w->is_torn = false;
    return 0;
}

static void work_write(struct offload_job *j)
{
    struct log_write *w = LIST_OF(j, struct log_write, job);

    w->done = 0;
    w->errnum = 0;
    while (w->done < w->bytes.len) {
        ssize_t n =
            mend(w) < 0 ? -1 : write(w->fd, w->bytes.data + w->done, w->bytes.len - w->done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            w->errnum = errno;
            w->is_torn |= w->done > 0;
            return;
        }
        w->done += (size_t)n;
    }
}

/* What came of it. */
static void note(struct log_file *f, const struct log_write *w)
{
    f->is_torn = w->is_torn;
    if (w->errnum) {
        lose(f, w->errnum, w->bytes.len - w->done);
    } else if (w->done > 0 && f->lost_bytes > 0) {
        log_info("log file %s: can be written again, %" PRIu64 " bytes were lost", f->path,
                 f->lost_bytes);
        f->lost_bytes = 0;
    }
}

/* What the file was given before it was closed is written to its end. */
static void finish_closed(struct log_write *w)
{
    struct buf written = w->bytes;

    w->bytes = w->rest;
    w->rest = written;
    buf_fini(&w->rest);
    if (w->bytes.len > 0 && w->errnum == 0 && !offload_run(&w->job, WRITE_PATIENCE_MS))
        return;
    log_write_free(w);
}

/* Takes w. */
static void submit(struct log_file *f, struct log_write *w)
{
    w->file = f;
    w->fd = f->fd;
    w->is_torn = f->is_torn;
    if (!offload_run(&w->job, WRITE_PATIENCE_MS)) {
        f->late = w;
        return;
    }
    note(f, w);
    let_go(w);
}

/* Once what was late is written. */
static void go_on(struct log_file *f)
{
    struct log_write *w = TAKE(f->late);
    struct buf written = w->bytes;

    note(f, w);
    w->bytes = f->backlog;
    f->backlog = written;
    buf_fini(&f->backlog);
    if (w->bytes.len > 0)
        submit(f, w);
    else
        let_go(w);
    if (!f->late && f->resumed)
        f->resumed(f);
}

static void on_written_late(struct offload_job *j)
{
    struct log_write *w = LIST_OF(j, struct log_write, job);

    if (w->file)
        go_on(w->file);
    else
        finish_closed(w);
}

static struct log_write *log_write_new(void)
{
    struct log_write *w = xcalloc(1, sizeof *w);

    w->job = (struct offload_job){.work = work_write, .done = on_written_late};
    list_init(&w->job.link);
    w->own_fd = -1;
    buf_init(&w->bytes, LOG_FILE_BACKLOG_MAX);
    buf_init(&w->rest, LOG_FILE_BACKLOG_MAX);
    return w;
}

/* A disk that is only busy takes what it was given soon. */
static int settle(struct log_file *f, struct error *err)
{
    int64_t until_ns = clock_monotonic_ns() + REOPEN_PATIENCE_MS * CLOCK_NS_PER_MS;

    while (f->late) {
        int64_t left_ms = (until_ns - clock_monotonic_ns()) / CLOCK_NS_PER_MS;

        if (left_ms <= 0 || !offload_await(&f->late->job, left_ms))
            return error_set(err, ERROR_DEADLINE, "log file %s: the disk does not answer", f->path);
        go_on(f);
    }
    return 0;
}

int log_file_reopen(struct log_file *f, void (*finish)(void *data), void *data, struct error *err)
{
    AUTO_CLOSE int fd = -1;

    if (settle(f, err) < 0)
        return -1;
    fd = open_beside(f->path, false, REOPEN_PATIENCE_MS, err);
    if (fd < 0)
        return -1;
    finish(data);
    if (settle(f, err) < 0)
        return -1;
    fd_close(&f->fd);
    f->fd = fd_take(&fd);
    f->is_torn = false;
    return 0;
}

void log_file_write(struct log_file *f, const struct iovec *iov, int n)
{
    struct log_write *w = f->late ? NULL : spare ? TAKE(spare) : log_write_new();
    struct buf *to = w ? &w->bytes : &f->backlog;
    struct error full;

    for (int i = 0; i < n; i++)
        if (buf_append(to, iov[i].iov_base, iov[i].iov_len, &full) < 0)
            lose(f, ENOBUFS, iov[i].iov_len);
    if (w)
        submit(f, w);
}

bool log_file_is_stuck(const struct log_file *f)
{
    return f->late != NULL;
}

void log_file_close(struct log_file *f)
{
    if (f->lost_bytes > 0)
        log_warn("log file %s: %" PRIu64 " bytes were lost", f->path, f->lost_bytes);
    if (f->late) {
        f->late->file = NULL;
        f->late->own_fd = fd_take(&f->fd);
        f->late->rest = f->backlog;
        buf_init(&f->backlog, LOG_FILE_BACKLOG_MAX);
    }
    fd_close(&f->fd);
    buf_fini(&f->backlog);
    free(f->path);
    *f = LOG_FILE_NONE;
}
