// SPDX-License-Identifier: Apache-2.0
#include "os/net_dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"

static int make_socket(bool is_ipv6, struct error *err)
{
    int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    return fd < 0 ? error_errno(err, errno, "make a socket") : fd;
}

static int make_socket_in(const char *netns, bool is_ipv6, struct error *err)
{
    AUTO_CLOSE int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int theirs = open(netns, O_RDONLY | O_CLOEXEC);
    int fd;

    if (own < 0 || theirs < 0)
        return error_errno(err, errno, "open network namespace %s", netns);
    if (setns(theirs, CLONE_NEWNET) < 0)
        return error_errno(err, errno, "enter network namespace %s", netns);
    fd = make_socket(is_ipv6, err);
    if (setns(own, CLONE_NEWNET) < 0)
        abort(); /* this thread would do its next work in a pod's network */
    return fd;
}

static int start_connect(int fd, bool is_ipv6, uint16_t port)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 ipv6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};

    ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return is_ipv6 ? connect(fd, (struct sockaddr *)&ipv6, sizeof ipv6)
                   : connect(fd, (struct sockaddr *)&ipv4, sizeof ipv4);
}

int net_dial(const char *netns, bool is_ipv6, uint16_t port, struct error *err)
{
    AUTO_CLOSE int fd = netns ? make_socket_in(netns, is_ipv6, err) : make_socket(is_ipv6, err);
    int one = 1;

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (start_connect(fd, is_ipv6, port) < 0 && errno != EINPROGRESS && errno != EINTR)
        return error_errno(err, errno, "connect");
    return fd_take(&fd);
}
