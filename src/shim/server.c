// SPDX-License-Identifier: Apache-2.0
#include "shim/server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "shim/service.h"
#include "ttrpc.pb-c.h"
#include "wire/ttrpc.h"

enum { READ_SIZE = 4096, ARENA_MAX = 16 * 1024 * 1024 };

struct connection {
    struct list link;
    struct server *server;
    struct poller_source source;
    struct ttrpc_decoder in;
    struct buf out; /* what the socket did not take yet */
    struct list calls;
    uint32_t last_stream;
    int fds[CALL_FDS_MAX]; /* came along; they belong to the next request that is complete */
    size_t n_fds;
};

static void connection_close(struct connection *c)
{
    int fd = c->source.fd;

    LIST_EACH(entry, &c->calls)
    {
        struct call *call = LIST_OF(entry, struct call, connection_link);

        call->connection = NULL;
        list_remove(&call->connection_link);
        if (list_is_empty(&call->link))
            continue;
        if (call->lost)
            call->lost(call);
        else
            call_free(call);
    }
    poller_remove(c->server->poller, &c->source);
    fd_close(&fd);
    for (size_t i = 0; i < c->n_fds; i++)
        fd_close(&c->fds[i]);
    ttrpc_decoder_fini(&c->in);
    buf_fini(&c->out);
    list_remove(&c->link);
    c->server->n_connections--;
    free(c);
}

/* Makes it readable with an end of file, so that it is closed where nobody uses it any more. */
static void connection_break(struct connection *c)
{
    shutdown(c->source.fd, SHUT_RDWR);
}

/* ---- answers ---- */

static void flush(struct connection *c)
{
    while (c->out.len > 0) {
        ssize_t n = send(c->source.fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            connection_break(c);
            c->out.len = 0;
            break;
        }
        buf_consume(&c->out, (size_t)n);
    }
    if (c->out.len == 0)
        buf_fini(&c->out);
    poller_change(c->server->poller, &c->source, c->out.len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void server_answer(struct connection *c, uint32_t stream, const struct error *status,
                   const ProtobufCMessage *message)
{
    bool was_empty = c->out.len == 0;
    struct error err;

    if (ttrpc_encode_response(&c->out, stream, status, message, &err) < 0) {
        log_error("answer a request: %s", err.text);
        connection_break(c);
        return;
    }
    if (was_empty)
        flush(c);
}

bool server_has_client(const struct connection *c)
{
    struct pollfd hung_up = {.fd = c->source.fd};

    return poll(&hung_up, 1, 0) == 0;
}

void server_add_call(struct connection *c, struct call *call)
{
    list_add(&c->calls, &call->connection_link);
}

/* ---- requests ---- */

static void refuse(struct connection *c, uint32_t stream, enum error_code code, const char *words)
{
    struct error status;

    error_set(&status, code, "%s", words);
    server_answer(c, stream, &status, NULL);
}

/* The descriptors that came along are the call's now. */
static void give_fds(struct connection *c, struct call *call)
{
    memcpy(call->fds, c->fds, sizeof c->fds);
    call->n_fds = c->n_fds;
    c->n_fds = 0;
}

static void serve_request(struct connection *c, const struct ttrpc_frame *frame)
{
    AUTO_FINI(arena) arena;
    struct error err;
    Ttrpc__Request *request;
    struct call *call;

    arena_init(&arena, ARENA_MAX);
    request = (Ttrpc__Request *)arena_unpack(&arena, &ttrpc__request__descriptor, frame->data,
                                             frame->len, &err);
    if (!request) {
        server_answer(c, frame->stream, &err, NULL);
        return;
    }
    call = call_new(c, frame->stream, request->timeout_nano);
    if (!call) {
        refuse(c, frame->stream, ERROR_EXHAUSTED, "too many requests wait for an answer");
        return;
    }
    give_fds(c, call);
    if (request->timeout_nano < 0) {
        error_set(&err, ERROR_DEADLINE, "deadline exceeded");
        call_fail(call, &err);
    } else if (service_dispatch(c->server->shim, call, request, &arena, &err) < 0) {
        call_fail(call, &err);
    }
}

static void serve_frame(struct connection *c, const struct ttrpc_frame *frame)
{
    if (frame->is_oversized)
        refuse(c, frame->stream, ERROR_EXHAUSTED, "message is longer than 4194304 bytes");
    else if (frame->type == TTRPC_DATA)
        refuse(c, frame->stream, ERROR_INVALID, "StreamID is no longer active");
    else if (frame->type != TTRPC_REQUEST)
        return;
    else if (frame->stream % 2 == 0 || frame->stream <= c->last_stream)
        refuse(c, frame->stream, ERROR_INVALID, "stream ids must be odd and increase");
    else if (frame->flags != 0)
        refuse(c, frame->stream, ERROR_UNIMPLEMENTED, "no method of the shim is streaming");
    else
        serve_request(c, frame);
    if (frame->type == TTRPC_REQUEST && frame->stream > c->last_stream)
        c->last_stream = frame->stream;
}

/* ---- bytes ---- */

static void collect_fds(struct connection *c, struct msghdr *message)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
        size_t n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < n; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
            if (c->n_fds < CALL_FDS_MAX)
                c->fds[c->n_fds++] = fd;
            else
                fd_close(&fd);
        }
    }
}

static ssize_t receive(struct connection *c, char *data, size_t size)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(CALL_FDS_MAX * sizeof(int))];
    struct iovec iov = {data, size};
    struct msghdr message = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(c->source.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n > 0)
        collect_fds(c, &message);
    return n;
}

static void on_connection_ready(struct poller_source *s, uint32_t events)
{
    struct connection *c = LIST_OF(s, struct connection, source);
    char data[READ_SIZE];
    struct ttrpc_frame frame;
    struct error err;
    ssize_t n;

    if (events & EPOLLOUT)
        flush(c);
    n = receive(c, data, sizeof data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || ttrpc_decoder_feed(&c->in, data, (size_t)n, &err) < 0) {
        connection_close(c);
        return;
    }
    while (ttrpc_decoder_next(&c->in, &frame))
        serve_frame(c, &frame);
}

/* ---- connections ---- */

static bool is_ours(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static void on_listener_ready(struct poller_source *s, uint32_t events)
{
    struct server *server = LIST_OF(s, struct server, listener);
    AUTO_CLOSE int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct connection *c;
    struct error err;

    (void)events;
    if (fd < 0 || server->n_connections == SERVER_CONNECTIONS_MAX || !is_ours(fd))
        return;
    c = xcalloc(1, sizeof *c);
    *c = (struct connection){.server = server,
                             .source = {.fd = -1, .ready = on_connection_ready},
                             .out = BUF(SERVER_ANSWERS_MAX)};
    list_init(&c->calls);
    ttrpc_decoder_init(&c->in);
    if (poller_add(server->poller, &c->source, fd, EPOLLIN, &err) < 0) {
        free(c);
        return;
    }
    fd_take(&fd);
    list_add(&server->connections, &c->link);
    server->n_connections++;
}

int server_init(struct server *s, struct shim *shim, struct poller *p, int listener,
                struct error *err)
{
    *s = (struct server){
        .shim = shim, .poller = p, .listener = {.fd = -1, .ready = on_listener_ready}};
    list_init(&s->connections);
    if (fd_set_nonblocking(listener, err) < 0)
        return -1;
    return poller_add(p, &s->listener, listener, EPOLLIN, err);
}
