// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
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
#include "stream/stream_address.h"
#include "stream/stream_session.h"

enum { BACKLOG = 256, KEEPALIVE_IDLE_S = 60, KEEPALIVE_EACH_S = 15, ACCEPT_PAUSE_MS = 100 };

struct stream_server {
    struct stream_session session; /* what all sessions have */
    struct loop *loop;
    struct loop_source *accepting;
    struct loop_source *pause; /* of accepting; NULL: there is none */
    struct pool *pool;         /* its own: sessions are long, and must not keep requests waiting */
    char *base;                /* http://<address>:<port> */
    int listener;
    struct stream_stats stats;
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
    atomic_fetch_sub(&job->server->stats.sessions, 1);
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

static void on_pause_over(void *data, uint32_t events)
{
    struct stream_server *s = data;

    (void)events;
    loop_remove(TAKE(s->pause));
    loop_change(s->accepting, EPOLLIN);
}

/* Out of descriptors: the client waits in the queue, and we must not spin until there are some. */
static void pause_accepting(struct stream_server *s, int errnum)
{
    struct error err;

    error_errno(&err, errnum, "accept a streaming client");
    log_warn("%s", err.text);
    s->pause = loop_add_timer(s->loop, ACCEPT_PAUSE_MS, on_pause_over, s, &err);
    if (s->pause)
        loop_change(s->accepting, 0);
}

/* With TLS the client could not read why. */
static void turn_away(struct stream_server *s, int fd)
{
    log_warn("streaming: more than %d sessions", STREAM_SERVER_SESSIONS_MAX);
    stream_stats_add(&s->stats, STREAM_STAT_TOO_MANY_SESSIONS, 1);
    if (!s->session.gate)
        stream_session_refuse(fd, 503, "too many exec, attach and port-forward sessions at once\n");
}

static void on_client(void *data, uint32_t events)
{
    struct stream_server *s = data;
    AUTO_CLOSE int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct job *job;

    (void)events;
    if (fd < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            pause_accepting(s, errno);
        return;
    }
    if (atomic_load(&s->stats.sessions) >= STREAM_SERVER_SESSIONS_MAX) {
        turn_away(s, fd);
        return;
    }
    tune(fd);
    atomic_fetch_add(&s->stats.sessions, 1);
    job = xcalloc(1, sizeof *job);
    *job = (struct job){s, fd_take(&fd)};
    pool_submit(s->pool, run_session, job);
}

/* --- the listener --- */

static int open_listener(struct stream_server *s, const struct stream_server_options *o,
                         struct error *err)
{
    struct stream_address address;
    AUTO_FREE char *text = NULL;
    int one = 1;

    if (stream_address_find(o->address, o->port, &address, err) < 0)
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
    text = stream_address_format(&address);
    s->base = xasprintf("%s://%s", o->tls ? "https" : "http", text);
    return 0;
}

static int start(struct stream_server *s, const struct stream_server_options *o, struct error *err)
{
    if (open_listener(s, o, err) < 0)
        return error_wrap(err, "listen for streams on \"%s\" port %u", o->address, o->port);
    if (o->tls && !(s->session.gate = tls_gate_new(o->tls, err)))
        return error_wrap(err, "start TLS for streams");
    s->session.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->session.stop_fd < 0)
        return error_errno(err, errno, "eventfd");
    s->pool = pool_new(STREAM_SERVER_SESSIONS_MAX, err);
    if (!s->pool)
        return -1;
    s->accepting = loop_add(s->loop, s->listener, EPOLLIN, on_client, s, err);
    return s->accepting ? 0 : -1;
}

struct stream_server *stream_server_new(const struct stream_server_options *options,
                                        struct error *err)
{
    struct stream_server *s = xcalloc(1, sizeof *s);

    s->loop = options->loop;
    s->listener = -1;
    s->session = (struct stream_session){
        .node = options->node, .tokens = tokens_new(), .stats = &s->stats, .stop_fd = -1};
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

    if (tokens_add(s->session.tokens, taken, clock_monotonic_ns(), token, err) < 0) {
        stream_stats_add(&s->stats, STREAM_STAT_TOO_MANY_URLS, 1);
        return -1;
    }
    *out_url = xasprintf("%s/%s/%s", s->base, stream_request_path(kind), token);
    return 0;
}

const struct stream_stats *stream_server_stats(const struct stream_server *s)
{
    return &s->stats;
}

void stream_server_stop(struct stream_server *s)
{
    uint64_t one = 1;

    if (s->pause)
        loop_remove(TAKE(s->pause));
    if (s->accepting)
        loop_remove(TAKE(s->accepting));
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
    tls_gate_free(s->session.gate);
    fd_close(&s->listener);
    fd_close(&s->session.stop_fd);
    tokens_free(s->session.tokens);
    free(s->base);
    free(s);
}
