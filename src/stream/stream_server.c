// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "os/pool.h"
#include "stream/stream_session.h"

enum { BACKLOG = 256, KEEPALIVE_IDLE_S = 60, KEEPALIVE_EACH_S = 15 };

struct stream_server {
    struct stream_session session; /* what all sessions have */
    struct loop *loop;
    struct loop_source *source;
    struct pool *pool; /* its own: sessions are long, and must not keep requests waiting */
    char *base;        /* http://<address>:<port> */
    int listener;
    atomic_size_t n_sessions;
};

/* --- sessions --- */

struct job {
    struct stream_server *server;
    int fd;
};

static void run_session(void *data)
{
    AUTO_FREE struct job *job = data;

    stream_session_run(&job->server->session, job->fd);
    atomic_fetch_sub(&job->server->n_sessions, 1);
}

/* A client whose machine has vanished is noticed within minutes. */
static void tune(int fd)
{
    int one = 1, idle = KEEPALIVE_IDLE_S, each = KEEPALIVE_EACH_S;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &each, sizeof each);
}

static void on_client(void *data, uint32_t events)
{
    struct stream_server *s = data;
    AUTO_CLOSE int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct job *job;

    (void)events;
    if (fd < 0)
        return;
    if (atomic_load(&s->n_sessions) >= STREAM_SERVER_SESSIONS_MAX) {
        log_warn("streaming: more than %d sessions", STREAM_SERVER_SESSIONS_MAX);
        stream_session_refuse(fd, 503, "too many exec, attach and port-forward sessions at once\n");
        return;
    }
    tune(fd);
    atomic_fetch_add(&s->n_sessions, 1);
    job = xcalloc(1, sizeof *job);
    *job = (struct job){s, fd_take(&fd)};
    pool_submit(s->pool, run_session, job);
}

/* --- the listener --- */

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } socket;
    socklen_t len;
};

static int parse_address(const char *text, uint16_t port, struct address *out, struct error *err)
{
    *out = (struct address){.len = sizeof out->socket.ipv4};
    if (inet_pton(AF_INET, text, &out->socket.ipv4.sin_addr) == 1) {
        out->socket.ipv4.sin_family = AF_INET;
        out->socket.ipv4.sin_port = htons(port);
        return 0;
    }
    out->len = sizeof out->socket.ipv6;
    if (inet_pton(AF_INET6, text, &out->socket.ipv6.sin6_addr) != 1)
        return error_set(err, ERROR_INVALID, "\"%.100s\" is no IP address", text);
    out->socket.ipv6.sin6_family = AF_INET6;
    out->socket.ipv6.sin6_port = htons(port);
    return 0;
}

static int open_listener(struct stream_server *s, const struct stream_server_options *o,
                         struct error *err)
{
    struct address address;
    int one = 1;

    if (parse_address(o->address, o->port, &address, err) < 0)
        return -1;
    s->listener =
        socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->listener < 0)
        return error_errno(err, errno, "make a socket");
    setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s->listener, &address.socket.any, address.len) < 0 ||
        listen(s->listener, BACKLOG) < 0 ||
        getsockname(s->listener, &address.socket.any, &address.len) < 0)
        return error_errno(err, errno, "bind");
    if (address.socket.any.sa_family == AF_INET6)
        s->base = xasprintf("http://[%s]:%u", o->address, ntohs(address.socket.ipv6.sin6_port));
    else
        s->base = xasprintf("http://%s:%u", o->address, ntohs(address.socket.ipv4.sin_port));
    return 0;
}

static int start(struct stream_server *s, const struct stream_server_options *o, struct error *err)
{
    if (open_listener(s, o, err) < 0)
        return error_wrap(err, "listen for streams on %s port %u", o->address, o->port);
    s->session.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->session.stop_fd < 0)
        return error_errno(err, errno, "eventfd");
    s->pool = pool_new(STREAM_SERVER_SESSIONS_MAX, err);
    if (!s->pool)
        return -1;
    s->source = loop_add(s->loop, s->listener, EPOLLIN, on_client, s, err);
    return s->source ? 0 : -1;
}

struct stream_server *stream_server_new(const struct stream_server_options *options,
                                        struct error *err)
{
    struct stream_server *s = xcalloc(1, sizeof *s);

    s->loop = options->loop;
    s->listener = -1;
    s->session =
        (struct stream_session){.node = options->node, .tokens = tokens_new(), .stop_fd = -1};
    if (start(s, options, err) == 0)
        return s;
    stream_server_free(s);
    return NULL;
}

int stream_server_url(struct stream_server *s, struct stream_request *taken, char **out_url,
                      struct error *err)
{
    enum stream_kind kind = taken->kind;
    char token[TOKENS_SIZE];

    if (tokens_add(s->session.tokens, taken, clock_monotonic_ns(), token, err) < 0)
        return -1;
    *out_url = xasprintf("%s/%s/%s", s->base, stream_request_path(kind), token);
    return 0;
}

void stream_server_stop(struct stream_server *s)
{
    uint64_t one = 1;

    if (s->source)
        loop_remove(TAKE(s->source));
    fd_close(&s->listener);
    if (write(s->session.stop_fd, &one, sizeof one) < 0)
        abort(); /* an eventfd has room for a one */
}

void stream_server_free(struct stream_server *s)
{
    if (!s)
        return;
    if (s->pool)
        stream_server_stop(s);
    pool_free(s->pool);
    fd_close(&s->listener);
    fd_close(&s->session.stop_fd);
    tokens_free(s->session.tokens);
    free(s->base);
    free(s);
}
