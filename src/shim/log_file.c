// SPDX-License-Identifier: Apache-2.0
#include "shim/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/log.h"
#include "base/own.h"

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

int log_file_open(struct log_file *f, const char *path, struct error *err)
{
    int fd;

    if (make_parent(path, err) < 0)
        return -1;
    fd = open_file(path, err);
    if (fd < 0)
        return -1;
    *f = (struct log_file){.path = xstrdup(path), .fd = fd};
    return 0;
}

void log_file_close(struct log_file *f)
{
    if (f->lost_bytes > 0)
        log_warn("log file %s: %" PRIu64 " bytes were lost", f->path, f->lost_bytes);
    fd_close(&f->fd);
    free(f->path);
    *f = LOG_FILE_NONE;
}

int log_file_reopen(struct log_file *f, void (*finish)(void *data), void *data, struct error *err)
{
    int fd = open_file(f->path, err);

    if (fd < 0)
        return -1;
    finish(data);
    fd_close(&f->fd);
    f->fd = fd;
    f->is_torn = false;
    return 0;
}

/* Drops the first len bytes of the iovecs; returns the bytes that are left. */
static size_t advance(struct iovec **iov, int *n, size_t len)
{
    size_t left = 0;

    while (*n > 0 && len >= (*iov)->iov_len) {
        len -= (*iov)->iov_len;
        ++*iov, --*n;
    }
    if (*n > 0 && len > 0) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + len;
        (*iov)->iov_len -= len;
    }
    for (int i = 0; i < *n; i++)
        left += (*iov)[i].iov_len;
    return left;
}

static void lose(struct log_file *f, int errnum, size_t bytes)
{
    if (f->lost_bytes == 0)
        log_warn("log file %s: %s; output is thrown away until it can be written again", f->path,
                 strerror(errnum));
    f->lost_bytes += bytes;
}

/* Ends a record that a full disk cut off, lest the next one sticks to it. */
static int mend(struct log_file *f)
{
    if (f->is_torn && write(f->fd, "\n", 1) != 1)
        return -1;
    f->is_torn = false;
    return 0;
}

void log_file_write(struct log_file *f, struct iovec *iov, int n)
{
    size_t done = 0;

    while (n > 0) {
        ssize_t written = mend(f) < 0 ? -1 : writev(f->fd, iov, n);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            lose(f, errno, advance(&iov, &n, 0));
            f->is_torn |= done > 0;
            return;
        }
        done += (size_t)written;
        advance(&iov, &n, (size_t)written);
    }
    if (done > 0 && f->lost_bytes > 0) {
        log_info("log file %s: can be written again, %" PRIu64 " bytes were lost", f->path,
                 f->lost_bytes);
        f->lost_bytes = 0;
    }
}
