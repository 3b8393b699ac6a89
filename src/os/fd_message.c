// SPDX-License-Identifier: Apache-2.0
#include "os/fd_message.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(FD_MESSAGE_FDS_MAX * sizeof(int))];
};

int fd_message_send(int socket, const void *data, size_t len, const int *fds, size_t n_fds,
                    struct error *err)
{
    union control control = {0};
    struct iovec iov = {(void *)data, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    assert(len > 0 && n_fds <= FD_MESSAGE_FDS_MAX);
    if (n_fds) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
    }
    do
        n = sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return error_set(err, ERROR_EXHAUSTED, "the peer does not take its messages");
    return n < 0 ? error_errno(err, errno, "send a message with descriptors") : 0;
}

/* Into out_fds; those that are too many are closed. Returns how many there were. */
static size_t take_fds(struct msghdr *message, int *out_fds, size_t max_fds)
{
    size_t n = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        size_t bytes = c->cmsg_len - CMSG_LEN(0);

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int), n++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
            if (n < max_fds)
                out_fds[n] = fd;
            else
                fd_close(&fd);
        }
    }
    return n;
}

ssize_t fd_message_receive(int socket, void *data, size_t size, int *out_fds, size_t max_fds,
                           struct error *err)
{
    union control control;
    struct iovec iov = {data, size};
    struct msghdr message = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;

    assert(max_fds <= FD_MESSAGE_FDS_MAX);
    for (size_t i = 0; i < max_fds; i++)
        out_fds[i] = -1;
    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_errno(err, errno, "receive a message with descriptors");
    if (take_fds(&message, out_fds, max_fds) <= max_fds &&
        !(message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
        return n;
    for (size_t i = 0; i < max_fds; i++)
        fd_close(&out_fds[i]);
    return error_set(err, ERROR_INVALID, "a message with too many bytes or descriptors");
}
