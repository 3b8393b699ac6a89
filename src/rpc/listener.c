// SPDX-License-Identifier: Apache-2.0
#include "rpc/listener.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "os/dying.h"

enum { STALE_LOOKS = 50, STALE_LOOK_MS = 10 };

static int fill_address(struct sockaddr_un *address, const char *path, struct error *err)
{
    size_t len = strlen(path);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len == 0 || len >= sizeof address->sun_path)
        return error_set(err, ERROR_INVALID, "the path of a socket has 1 to %zu bytes",
                         sizeof address->sun_path - 1);
    memcpy(address->sun_path, path, len);
    return 0;
}

/* Nobody will ever take the connection. */
static bool is_dying(int fd)
{
    struct ucred server;
    socklen_t size = sizeof server;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &server, &size) == 0 && dying_is(server.pid);
}

/* A child of a server that was killed may hold its socket until it comes to its exec, so one that
 * seems to listen is given a moment. */
static bool is_listened_to(const struct sockaddr_un *address)
{
    for (int i = 0; i < STALE_LOOKS; i++) {
        AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EAGAIN)
            return false;
        if (is_dying(fd)) {
            errno = ECONNREFUSED;
            return false;
        }
        poll(NULL, 0, STALE_LOOK_MS);
    }
    return true;
}

/* Removes the socket file of a server that is no more. */
static int remove_stale(const struct sockaddr_un *address, struct error *err)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0)
        return errno == ENOENT ? 0 : error_errno(err, errno, "look at the file in the way");
    if (!S_ISSOCK(st.st_mode))
        return error_set(err, ERROR_EXISTS, "the file in the way is no socket");
    if (is_listened_to(address))
        return error_set(err, ERROR_EXISTS, "somebody listens there already");
    if (errno != ECONNREFUSED && errno != ENOENT)
        return error_errno(err, errno, "see whether somebody listens there");
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return error_errno(err, errno, "remove the stale socket");
    return 0;
}

static int make_parent(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = NULL;

    if (!slash || slash == path)
        return 0;
    folder = xstrndup(path, (size_t)(slash - path));
    return file_make_dirs(folder, 0755, err);
}

static int bind_at(struct rpc_listener *l, const char *path, mode_t mode, struct error *err)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address;
    struct stat st;

    if (fd < 0)
        return error_errno(err, errno, "make socket");
    if (fill_address(&address, path, err) < 0 || make_parent(path, err) < 0 ||
        remove_stale(&address, err) < 0)
        return -1;
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return error_errno(err, errno, "bind");
    /* Nobody can connect before listen(), so the mode is never a wider one than asked for. */
    if (chmod(path, mode) < 0 || lstat(path, &st) < 0 || listen(fd, SOMAXCONN) < 0) {
        error_errno(err, errno, "listen");
        unlink(path);
        return -1;
    }
    *l = (struct rpc_listener){
        .fd = fd_take(&fd), .path = xstrdup(path), .dev = st.st_dev, .ino = st.st_ino};
    return 0;
}

int rpc_listener_open(struct rpc_listener *l, const char *path, mode_t mode, struct error *err)
{
    if (bind_at(l, path, mode, err) < 0)
        return error_wrap(err, "listen on %s", path);
    return 0;
}

void rpc_listener_close(struct rpc_listener *l)
{
    struct stat st;

    if (l->fd < 0)
        return;
    if (lstat(l->path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        unlink(l->path);
    fd_close(&l->fd);
    free(l->path);
    l->path = NULL;
}
