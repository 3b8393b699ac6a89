// SPDX-License-Identifier: Apache-2.0
#include "shim/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fd.h"

int console_open(struct console *c, struct error *err)
{
    static unsigned count;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(c->name, sizeof c->name, "console.%u", ++count);
    snprintf(c->path, sizeof c->path, "/proc/%d/cwd/%s", getpid(), c->name);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", c->name);
    unlink(c->name);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        chmod(c->name, 0600) < 0 || listen(fd, 1) < 0)
        return error_errno(err, errno, "open console socket");
    c->listener = fd_take(&fd);
    return 0;
}

void console_close(struct console *c)
{
    if (c->listener < 0)
        return;
    fd_close(&c->listener);
    unlink(c->name);
}

static int receive(int from)
{
    char byte[256], control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec iov = {byte, sizeof byte};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *cmsg;
    int fd = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) < 0)
        return -1;
    cmsg = CMSG_FIRSTHDR(&message);
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(cmsg), sizeof fd);
    return fd;
}

int console_take(struct console *c, struct error *err)
{
    AUTO_CLOSE int from = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
    int master = from < 0 ? -1 : receive(from);

    console_close(c);
    if (master < 0)
        return error_set(err, ERROR_INTERNAL, "the OCI runtime has not handed over a terminal");
    return master;
}

int console_resize(int master, unsigned width, unsigned height, struct error *err)
{
    struct winsize size = {.ws_col = (unsigned short)width, .ws_row = (unsigned short)height};

    if (width > 0xffff || height > 0xffff)
        return error_set(err, ERROR_INVALID, "a terminal cannot be %ux%u", width, height);
    if (ioctl(master, TIOCSWINSZ, &size) < 0)
        return error_errno(err, errno, "resize terminal");
    return 0;
}
