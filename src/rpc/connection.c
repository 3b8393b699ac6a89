// SPDX-License-Identifier: Apache-2.0
#include "rpc/connection.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "rpc/call_server.h"
#include "wire/grpc_server.h"

/* Bytes for a client are gathered in a buffer that all connections share, and written at once. What
 * the socket does not take waits in the connection, which asks for nothing more from HTTP/2 until
 * the socket is writable again: so a slow reader costs one round of bytes, and nobody's time. */
enum { GATHER_MAX = 64 * 1024, OUT_MAX = 4 * GATHER_MAX };

struct rpc_connection {
    struct list link;  /* in all */
    struct list dirty; /* in dirty */
    struct rpc_connections *in;
    int fd;
    struct loop_source *source;
    bool wants_out;
    struct grpc_server *http2;
    struct list calls;
    size_t n_calls;
    struct buf unsent;
};

/* --- events of HTTP/2 --- */

static void refuse(struct grpc_stream *stream, const struct error *err)
{
    grpc_stream_finish(stream, err);
}

/* True when it was brief, and is done with. */
static bool serve_brief(struct rpc_connections *in, struct rpc_call *call,
                        struct grpc_stream *stream)
{
    struct grpc_frame *response;

    if (in->brief_ns >= RPC_BRIEF_NS || !rpc_call_serve_brief(call, &response))
        return false;
    in->brief_ns += clock_monotonic_ns() - call->began_ns;
    if (response)
        grpc_stream_send(stream, response);
    grpc_stream_finish(stream, call->status.code ? &call->status : NULL);
    rpc_call_free(call);
    return true;
}

static void on_requested(void *data, struct grpc_stream *stream)
{
    struct rpc_connection *c = data;
    struct rpc_connections *in = c->in;
    const struct rpc_route *route;
    struct rpc_call *call;
    struct error err;

    route = rpc_route_find(&in->routes, stream->request.path, &err);
    if (!route) {
        refuse(stream, &err);
        return;
    }
    /* Streams that the client has reset do not count for HTTP/2, but their handlers still run. */
    if (c->n_calls >= RPC_STREAMS_MAX) {
        error_set(&err, ERROR_EXHAUSTED, "%zu requests of this connection are still running",
                  c->n_calls);
        refuse(stream, &err);
        return;
    }
    call = rpc_call_new(&in->options, route, &in->outbox, stream);
    if (serve_brief(in, call, stream))
        return;
    call->connection = c;
    stream->user = call;
    list_add(&c->calls, &call->link);
    c->n_calls++;
    in->n_calls++;
    if (in->draining && route->streams)
        rpc_call_cancel(call, true);
    pool_submit(in->options.pool, rpc_call_run, call);
}

static void on_sent(void *data, void *user, size_t len)
{
    rpc_call_sent(user, len);
}

static void on_closed(void *data, void *user)
{
    struct rpc_call *call = user;

    call->stream = NULL;
    rpc_call_cancel(call, false);
}

static const struct grpc_server_events EVENTS = {
    .requested = on_requested,
    .sent = on_sent,
    .closed = on_closed,
};

/* --- bytes --- */

static void close_connection(struct rpc_connection *c)
{
    struct rpc_connections *in = c->in;

    LIST_EACH(entry, &c->calls)
    {
        struct rpc_call *call = LIST_OF(entry, struct rpc_call, link);

        list_remove(entry);
        call->connection = NULL;
        call->stream = NULL;
        rpc_call_cancel(call, false);
    }
    list_remove(&c->link);
    list_remove(&c->dirty);
    loop_remove(c->source);
    fd_close(&c->fd);
    grpc_server_free(c->http2);
    buf_fini(&c->unsent);
    free(c);
    in->n--;
}

/* Returns how many bytes the socket took. */
static ssize_t write_some(struct rpc_connection *c, const void *data, size_t len, struct error *err)
{
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

    if (n >= 0 || errno == EAGAIN || errno == EINTR)
        return n > 0 ? n : 0;
    return error_errno(err, errno, "send");
}

/* Collects what HTTP/2 has to send into the shared buffer. */
static int gather(struct rpc_connection *c, struct error *err)
{
    struct buf *out = &c->in->out;
    const uint8_t *bytes;
    ssize_t n = 1;

    out->len = 0;
    while (n > 0 && out->len < GATHER_MAX) {
        n = grpc_server_transmit(c->http2, &bytes, err);
        if (n < 0 || buf_append(out, bytes, (size_t)n, err) < 0)
            return -1;
    }
    return 0;
}

static int send_unsent(struct rpc_connection *c, struct error *err)
{
    ssize_t n = write_some(c, c->unsent.data, c->unsent.len, err);

    if (n < 0)
        return -1;
    buf_consume(&c->unsent, (size_t)n);
    if (c->unsent.len == 0)
        buf_fini(&c->unsent);
    return 0;
}

static int send_gathered(struct rpc_connection *c, struct error *err)
{
    struct buf *out = &c->in->out;
    ssize_t n;

    if (gather(c, err) < 0)
        return -1;
    if (out->len == 0)
        return 0;
    n = write_some(c, out->data, out->len, err);
    if (n < 0)
        return -1;
    if ((size_t)n < out->len)
        return buf_append(&c->unsent, out->data + n, out->len - (size_t)n, err);
    return 0;
}

/* Sends until there is nothing left or the socket is full. */
static int flush(struct rpc_connection *c, struct error *err)
{
    bool wants_out;

    if (c->unsent.len > 0 && send_unsent(c, err) < 0)
        return -1;
    while (c->unsent.len == 0) {
        if (send_gathered(c, err) < 0)
            return -1;
        if (c->in->out.len == 0)
            break;
    }
    wants_out = c->unsent.len > 0;
    if (wants_out != c->wants_out)
        loop_change(c->source, wants_out ? EPOLLIN | EPOLLOUT : EPOLLIN);
    c->wants_out = wants_out;
    if (!wants_out && grpc_server_is_done(c->http2))
        return error_set(err, ERROR_OK, "the connection is drained");
    return 0;
}

static int read_some(struct rpc_connection *c, struct error *err)
{
    ssize_t n;

    c->in->brief_ns = 0;
    n = recv(c->fd, c->in->in, RPC_CONNECTION_READ, 0);

    if (n > 0)
        return grpc_server_receive(c->http2, c->in->in, (size_t)n, err);
    if (n == 0)
        return error_set(err, ERROR_OK, "the client is gone");
    if (errno == EAGAIN || errno == EINTR)
        return 0;
    return error_errno(err, errno, "receive");
}

static void end(struct rpc_connection *c, const struct error *why)
{
    struct rpc_connections *in = c->in;

    if (why->code != ERROR_OK)
        log_debug("gRPC connection ends: %s", why->text);
    close_connection(c);
    in->ended(in->server);
}

static void on_ready(void *data, uint32_t events)
{
    struct rpc_connection *c = data;
    struct error err;

    if (((events & ~(uint32_t)EPOLLOUT) && read_some(c, &err) < 0) || flush(c, &err) < 0)
        end(c, &err);
}

static void flush_dirty(struct rpc_connections *in)
{
    LIST_EACH(entry, &in->dirty)
    {
        struct rpc_connection *c = LIST_OF(entry, struct rpc_connection, dirty);
        struct error err;

        list_remove(entry);
        if (flush(c, &err) < 0)
            end(c, &err);
    }
}

/* --- responses --- */

static void finish_call(struct rpc_call *call)
{
    if (call->stream) {
        grpc_stream_finish(call->stream, call->status.code ? &call->status : NULL);
        call->stream->user = NULL;
    }
    if (call->connection)
        call->connection->n_calls--;
    rpc_call_free(call);
}

static void deliver(void *data)
{
    struct rpc_connections *in = data;
    struct grpc_frame_queue frames;
    struct rpc_outbox_slot *slot;
    bool finished;

    while ((slot = rpc_outbox_take(&in->outbox, &frames, &finished))) {
        struct rpc_call *call = LIST_OF(slot, struct rpc_call, slot);
        struct rpc_connection *c = call->connection;

        while (call->stream && frames.first)
            grpc_stream_send(call->stream, grpc_frame_take(&frames));
        grpc_frame_drop_all(&frames);
        if (c && list_is_empty(&c->dirty))
            list_add(&in->dirty, &c->dirty);
        if (finished) {
            finish_call(call);
            in->n_calls--;
        }
    }
    flush_dirty(in);
    if (in->n_calls == 0)
        in->ended(in->server);
}

/* --- all of them --- */

int rpc_connection_open(struct rpc_connections *all, int fd, struct error *err)
{
    static const struct grpc_server_limits limits = {
        .message_max = RPC_MESSAGE_MAX,
        .held_max = RPC_CONNECTION_HELD_MAX,
        .streams_max = RPC_STREAMS_MAX,
    };
    struct rpc_connection *c = xcalloc(1, sizeof *c);

    c->in = all;
    c->fd = fd;
    list_init(&c->dirty);
    list_init(&c->calls);
    buf_init(&c->unsent, OUT_MAX);
    list_add(&all->all, &c->link);
    all->n++;
    c->source = loop_add(all->options.loop, fd, EPOLLIN, on_ready, c, err);
    c->http2 = grpc_server_new(&limits, &EVENTS, c, err);
    if (c->source && c->http2)
        return 0;
    close_connection(c);
    return -1;
}

void rpc_connection_drain_all(struct rpc_connections *all)
{
    all->draining = true;
    LIST_EACH(entry, &all->all)
    {
        struct rpc_connection *c = LIST_OF(entry, struct rpc_connection, link);

        LIST_EACH(at, &c->calls)
        {
            struct rpc_call *call = LIST_OF(at, struct rpc_call, link);

            if (call->route->streams)
                rpc_call_cancel(call, true);
        }
        grpc_server_drain(c->http2);
        if (list_is_empty(&c->dirty))
            list_add(&all->dirty, &c->dirty);
    }
    flush_dirty(all);
}

void rpc_connection_init_all(struct rpc_connections *all, const struct rpc_server_options *options)
{
    *all = (struct rpc_connections){.options = *options, .out = BUF(OUT_MAX)};
    list_init(&all->all);
    list_init(&all->dirty);
    all->in = xmalloc(RPC_CONNECTION_READ);
    rpc_outbox_init(&all->outbox, options->loop, deliver, all);
}

void rpc_connection_fini_all(struct rpc_connections *all)
{
    LIST_EACH(entry, &all->all)
    close_connection(LIST_OF(entry, struct rpc_connection, link));
    while (all->n_calls > 0) {
        rpc_outbox_wait(&all->outbox);
        deliver(all);
    }
    rpc_outbox_fini(&all->outbox);
    rpc_route_free_all(&all->routes);
    buf_fini(&all->out);
    free(all->in);
}
