// SPDX-License-Identifier: Apache-2.0
#include "imaged/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/id.h"
#include "base/own.h"
#include "imaged/stop.h"

/* Who waits for a file has a shared lock on this byte of it. */
enum { AWAITED_BYTE = 0, LOCK_WAIT_MS = 50 };

static bool is_at(int fd, const char *path)
{
    struct stat by_fd, by_path;

    return fstat(fd, &by_fd) == 0 && lstat(path, &by_path) == 0 && by_fd.st_dev == by_path.st_dev &&
           by_fd.st_ino == by_path.st_ino;
}

int leftover_lock(const char *path, int flags)
{
    /* Its last owner may remove it between our open and our lock: then there is another. */
    for (;;) {
        AUTO_CLOSE int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC, 0600);

        if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
            return -1;
        if (is_at(fd, path))
            return fd_take(&fd);
        if (!(flags & O_CREAT)) {
            errno = ENOENT;
            return -1;
        }
    }
}

static struct flock awaited(short type)
{
    return (struct flock){
        .l_type = type, .l_whence = SEEK_SET, .l_start = AWAITED_BYTE, .l_len = 1};
}

bool leftover_is_awaited(int fd)
{
    struct flock lock = awaited(F_WRLCK);

    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* For as long as the descriptor is open. Without it we only wait longer, or do more. */
static int await(const char *path)
{
    struct flock lock = awaited(F_RDLCK);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -1 : fd_take(&fd);
}

int leftover_wait_lock(const char *path, struct error *err)
{
    AUTO_CLOSE int awaiting = -1;
    int fd, again;

    while ((fd = leftover_lock(path, O_RDWR | O_CREAT)) < 0) {
        if (errno != EWOULDBLOCK)
            return error_errno(err, errno, "lock %s", path);
        again = await(path); /* it may be another file by now */
        fd_close(&awaiting);
        awaiting = again;
        stop_sleep_ms(LOCK_WAIT_MS);
        if (stop_check(err) < 0)
            return -1;
    }
    return fd;
}

int leftover_new(const char *folder, const char *prefix, mode_t mode, char **out_path,
                 struct error *err)
{
    int fd = -1;

    /* One that is not locked yet looks like a leftover to a run that starts just then. */
    do {
        char id[ID_SIZE];

        id_new(id);
        free(*out_path);
        *out_path = xasprintf("%s/%s%.16s", folder, prefix, id);
        if (!S_ISDIR(mode))
            fd = leftover_lock(*out_path, O_WRONLY | O_CREAT);
        else if (mkdir(*out_path, mode & 07777) == 0)
            fd = leftover_lock(*out_path, O_RDONLY | O_DIRECTORY);
        else
            break;
    } while (fd < 0 && (errno == EWOULDBLOCK || errno == ENOENT) && file_exists(folder));
    return fd < 0 ? error_errno(err, errno, "create %s", *out_path) : fd;
}

static bool is_named(const char *name, const char *prefix, const char *suffix)
{
    size_t len = strlen(name), before = strlen(prefix), behind = strlen(suffix);

    return len >= before + behind && strncmp(name, prefix, before) == 0 &&
           strcmp(name + len - behind, suffix) == 0 && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

int leftover_remove(const char *folder, const char *prefix, const char *suffix, struct error *err)
{
    AUTO_CLOSEDIR DIR *dir = opendir(folder);

    if (!dir)
        return errno == ENOENT ? 0 : error_errno(err, errno, "open folder %s", folder);
    for (struct dirent *entry; (entry = readdir(dir));) {
        AUTO_FREE char *path = NULL;

        if (!is_named(entry->d_name, prefix, suffix))
            continue;
        path = xasprintf("%s/%s", folder, entry->d_name);
        AUTO_CLOSE int lock = leftover_lock(path, O_RDONLY);
        if (lock >= 0 && file_remove_tree(AT_FDCWD, path, err) < 0)
            return error_wrap(err, "what a dead run left behind");
    }
    return 0;
}
