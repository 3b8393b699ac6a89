// SPDX-License-Identifier: Apache-2.0
#include "rpc/server.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/own.h"
#include "rpc/connection.h"
#include "rpc/listener.h"

enum { ACCEPT_PAUSE_MS = 100 };

struct rpc_server {
    struct rpc_connections connections;
    struct rpc_listener listener;
    struct loop_source *accepting;
    struct loop_source *pause; /* runs while accepting makes no sense */
    struct loop_source *grace;
    int64_t grace_ms;
    void (*drained)(void *data);
    void *drained_data;
};

/* --- connections come --- */

/* An HTTP/2 server's first words, empty SETTINGS, and its last, GOAWAY with ENHANCE_YOUR_CALM. */
static void turn_away(int fd)
{
    static const char words[] = "\0\0\0\x04\0\0\0\0\0"
                                "\0\0\x1c\x07\0\0\0\0\0"
                                "\0\0\0\0"
                                "\0\0\0\x0b"
                                "too many connections";

    _Static_assert(sizeof "too many connections" - 1 == 0x1c - 8, "length of GOAWAY");
    if (send(fd, words, sizeof words - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("a connection over the limit is gone already");
    fd_close(&fd);
}

static void on_pause_over(void *data, uint32_t events)
{
    struct rpc_server *s = data;

    loop_remove(TAKE(s->pause));
    if (s->accepting)
        loop_change(s->accepting, EPOLLIN);
}

/* Out of descriptors: the client waits in the queue, and we must not spin until there are some. */
static void pause_accepting(struct rpc_server *s, int errnum)
{
    struct error err;

    error_errno(&err, errnum, "accept gRPC connection");
    log_warn("%s", err.text);
    loop_change(s->accepting, 0);
    s->pause = loop_add_timer(s->connections.options.loop, ACCEPT_PAUSE_MS, on_pause_over, s, &err);
    if (!s->pause)
        loop_change(s->accepting, EPOLLIN);
}

static void serve_client(struct rpc_server *s, int fd)
{
    struct error err;

    if (s->connections.n >= RPC_CONNECTIONS_MAX)
        turn_away(fd);
    else if (rpc_connection_open(&s->connections, fd, &err) < 0)
        log_warn("serve gRPC connection: %s", err.text);
}

static void on_acceptable(void *data, uint32_t events)
{
    struct rpc_server *s = data;

    for (;;) {
        int fd = accept4(s->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            serve_client(s, fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN)
                pause_accepting(s, errno);
            return;
        }
    }
}

/* --- and go --- */

static void stop_listening(struct rpc_server *s)
{
    loop_remove(TAKE(s->accepting));
    loop_remove(TAKE(s->pause));
    rpc_listener_close(&s->listener);
}

static void end_drain(struct rpc_server *s)
{
    void (*drained)(void *) = TAKE(s->drained);

    loop_remove(TAKE(s->grace));
    if (drained)
        drained(s->drained_data);
}

static void on_grace_over(void *data, uint32_t events)
{
    end_drain(data);
}

static void on_ended(void *data)
{
    struct rpc_server *s = data;

    if (s->connections.draining && s->connections.n == 0 && s->connections.n_calls == 0)
        end_drain(s);
}

static void begin_drain(void *data)
{
    struct rpc_server *s = data;
    struct error err;

    stop_listening(s);
    s->grace = loop_add_timer(s->connections.options.loop, s->grace_ms, on_grace_over, s, &err);
    rpc_connection_drain_all(&s->connections);
    if (s->grace)
        on_ended(s);
    else
        end_drain(s);
}

void rpc_server_drain(struct rpc_server *s, int64_t grace_ms, void (*done)(void *data), void *data)
{
    assert(!s->drained);
    s->grace_ms = grace_ms;
    s->drained = done;
    s->drained_data = data;
    loop_post(s->connections.options.loop, begin_drain, s);
}

/* --- the server --- */

struct rpc_server *rpc_server_new(const struct rpc_server_options *options, struct error *err)
{
    struct rpc_server *s = xcalloc(1, sizeof *s);

    assert(options->loop && options->pool);
    s->listener = RPC_LISTENER_NONE;
    rpc_connection_init_all(&s->connections, options);
    s->connections.ended = on_ended;
    s->connections.server = s;
    return s;
}

void rpc_server_add(struct rpc_server *s, const ProtobufCServiceDescriptor *service,
                    const struct rpc_method *methods, void *data)
{
    assert(!s->accepting);
    rpc_route_add(&s->connections.routes, service, methods, data);
}

void rpc_server_add_brief(struct rpc_server *s, const ProtobufCServiceDescriptor *service,
                          const char *method, rpc_is_brief *is_brief)
{
    assert(!s->accepting);
    rpc_route_set_brief(&s->connections.routes, service, method, is_brief);
}

int rpc_server_listen(struct rpc_server *s, const char *path, mode_t mode, struct error *err)
{
    assert(!s->accepting);
    if (rpc_listener_open(&s->listener, path, mode, err) < 0)
        return -1;
    s->accepting =
        loop_add(s->connections.options.loop, s->listener.fd, EPOLLIN, on_acceptable, s, err);
    if (s->accepting)
        return 0;
    rpc_listener_close(&s->listener);
    return -1;
}

bool rpc_server_is_busy(const struct rpc_server *s)
{
    return s->connections.n_calls > 0;
}

void rpc_server_free(struct rpc_server *s)
{
    if (!s)
        return;
    stop_listening(s);
    loop_remove(TAKE(s->grace));
    s->drained = NULL;
    rpc_connection_fini_all(&s->connections);
    free(s);
}
