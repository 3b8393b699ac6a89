// SPDX-License-Identifier: Apache-2.0
#include "os/sealed.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

#ifndef MFD_EXEC
#    define MFD_EXEC 0x0010U
#endif

struct sealed {
    pthread_mutex_t lock;
    char *path;
    bool is_known;      /* what follows is of the file that the path led to when last looked at */
    struct identity of; /* that file */
    int fd;             /* its copy; -1: none can be made of it */
};

/* Runtimes compare for equality, so no seal more and no seal less. */
enum { SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int check_program(int fd, off_t *out_size, struct error *err)
{
    char magic[SELFMAG];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return error_errno(err, errno, "fstat");
    if (!S_ISREG(st.st_mode) || pread(fd, magic, SELFMAG, 0) != SELFMAG ||
        memcmp(magic, ELFMAG, SELFMAG) != 0)
        return error_set(err, ERROR_UNIMPLEMENTED, "it is not an ELF program");
    if (st.st_size > SEALED_PROGRAM_MAX)
        return error_set(err, ERROR_EXHAUSTED, "it is longer than %d bytes", SEALED_PROGRAM_MAX);
    *out_size = st.st_size;
    return 0;
}

/* Kernels before 6.3 do not know that memory can be other than executable. */
static int make_memory(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? error_errno(err, errno, "make a file in memory") : fd;
}

static int copy_all(int to, int from, off_t size, struct error *err)
{
    for (off_t at = 0; at < size;) {
        ssize_t n = sendfile(to, from, &at, (size_t)(size - at));

        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "copy it");
        if (n == 0)
            return error_set(err, ERROR_ABORTED, "it has become shorter");
    }
    return 0;
}

/* Nobody, not even we, keeps a descriptor that could ever have written. */
static int open_read_only(int fd, struct error *err)
{
    char path[32];
    int copy;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    copy = open(path, O_RDONLY | O_CLOEXEC);
    return copy < 0 ? error_errno(err, errno, "open the copy") : copy;
}

static int make_copy(int from, const char *path, struct error *err)
{
    AUTO_CLOSE int memory = -1;
    off_t size = 0;

    if (check_program(from, &size, err) < 0)
        return -1;
    memory = make_memory(path, err);
    if (memory < 0 || copy_all(memory, from, size, err) < 0)
        return -1;
    if (fchmod(memory, 0500) < 0 || fcntl(memory, F_ADD_SEALS, SEALS) < 0)
        return error_errno(err, errno, "seal the copy");
    return open_read_only(memory, err);
}

/* With the lock. The identity is taken before and after: a file that is written to meanwhile has
 * another one then, and the next call makes the copy anew. */
static int renew(struct sealed *s, struct error *err)
{
    AUTO_CLOSE int from = open(s->path, O_RDONLY | O_CLOEXEC);
    struct identity after;

    fd_close(&s->fd);
    s->is_known = false;
    if (from < 0)
        return error_errno(err, errno, "open it");
    if (identity_of_fd(from, &s->of, err) < 0)
        return -1;
    s->is_known = true;
    s->fd = make_copy(from, s->path, err);
    if (s->fd < 0)
        return -1;
    if (identity_of_fd(from, &after, err) < 0 || !identity_equals(&s->of, &after)) {
        fd_close(&s->fd);
        s->is_known = false;
        return error_set(err, ERROR_ABORTED, "it has changed meanwhile");
    }
    return 0;
}

static bool is_current(const struct sealed *s)
{
    struct identity now;
    struct error ignored;

    return s->is_known && identity_of_path(s->path, &now, &ignored) == 0 &&
           identity_equals(&s->of, &now);
}

static int open_locked(struct sealed *s, int *out_fd, struct identity *out_of, struct error *err)
{
    int copy;

    if (!is_current(s) && renew(s, err) < 0)
        return -1;
    if (s->fd < 0)
        return error_set(err, ERROR_UNIMPLEMENTED, "there is none, as was said before");
    copy = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return error_errno(err, errno, "copy a descriptor");
    *out_fd = copy;
    *out_of = s->of;
    return 0;
}

struct sealed *sealed_new(const char *path)
{
    struct sealed *s = xcalloc(1, sizeof *s);

    *s = (struct sealed){.path = xstrdup(path), .fd = -1};
    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void sealed_free(struct sealed *s)
{
    if (!s)
        return;
    fd_close(&s->fd);
    free(s->path);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int sealed_open(struct sealed *s, int *out_fd, struct identity *out_of, struct error *err)
{
    int failed;

    pthread_mutex_lock(&s->lock);
    failed = open_locked(s, out_fd, out_of, err);
    pthread_mutex_unlock(&s->lock);
    return failed < 0 ? error_wrap(err, "sealed copy of %s", s->path) : 0;
}
