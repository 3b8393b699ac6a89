// SPDX-License-Identifier: Apache-2.0
#include "daemon/state_lock.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "os/dying.h"

/* The lock is a byte of a file, the first that nobody has. Whoever comes to a byte of a process
 * that is dying goes on to the next one; and who has a byte gives it back if another one is had by
 * somebody who lives: the bytes before it become free again. Two who come in the same moment to
 * that may send each other away, but never both stay.
 *
 * These locks go with the process, and not, as with flock(), with the last child that has not come
 * to its exec yet. */
enum { BYTES = 64 };

static struct flock bytes(off_t from, off_t n)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = n};
}

/* Who has the first of these bytes that is had by another process; false: nobody has any. */
static bool find_holder(int fd, off_t from, off_t n, struct flock *out)
{
    *out = bytes(from, n);
    return fcntl(fd, F_GETLK, out) == 0 && out->l_type != F_UNLCK;
}

static bool is_passed_over(const struct flock *held)
{
    if (!dying_is(held->l_pid))
        return false;
    log_warn("berthd %d was killed and cannot end, because a disk does not answer: it is passed "
             "over",
             held->l_pid);
    return true;
}

static bool take_free_byte(int fd)
{
    for (off_t i = 0; i < BYTES; i++) {
        struct flock byte = bytes(i, 1), held;

        if (fcntl(fd, F_SETLK, &byte) == 0)
            return true;
        if (!find_holder(fd, i, 1, &held) || !is_passed_over(&held))
            return false;
    }
    return false;
}

static bool is_alone(int fd)
{
    struct flock held;

    for (off_t from = 0; from < BYTES && find_holder(fd, from, BYTES - from, &held);
         from = held.l_start + held.l_len)
        if (held.l_len == 0 || !dying_is(held.l_pid))
            return false;
    return true;
}

int state_lock_take(const char *folder, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s/berthd.lock", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return error_errno(err, errno, "open %s", path);
    if (!take_free_byte(fd) || !is_alone(fd)) {
        fd_close(&fd);
        return error_set(err, ERROR_EXISTS, "another berthd runs on %s", folder);
    }
    return 0; /* kept open on purpose, and never written to */
}
