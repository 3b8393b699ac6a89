// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "os/deadline.h"
#include "stream/command_session.h"
#include "stream/forward_session.h"
#include "wire/portforward.h"
#include "wire/remotecommand.h"

enum { LINGER_MS = 1000 };

struct head {
    struct http1_request request;
    struct input rest; /* what came behind it */
    uint8_t data[MUX_INPUT_MAX];
};

/* --- HTTP --- */

static int receive(int fd, struct head *h, const struct deadline *by, struct error *err)
{
    ssize_t n;

    do {
        if (deadline_wait(by, fd, POLLIN, err) < 0)
            return -1;
        n = recv(fd, h->data, sizeof h->data, MSG_DONTWAIT);
    } while (n < 0 && (errno == EAGAIN || errno == EINTR));
    if (n < 0)
        return error_errno(err, errno, "receive");
    if (n == 0)
        return error_set(err, ERROR_CANCELLED, "the client is gone");
    h->rest = (struct input){h->data, (size_t)n};
    return 0;
}

/* 0: the head is whole; -1: refused, with the status, or with 0 when there is nobody to answer. */
static int read_head(int fd, struct head *h, const struct deadline *by, int *out_status,
                     struct error *err)
{
    int whole = 0;

    *out_status = 0;
    while (whole == 0) {
        if (receive(fd, h, by, err) < 0) {
            *out_status = err->code == ERROR_DEADLINE ? 408 : 0;
            return -1;
        }
        whole = http1_request_feed(&h->request, &h->rest, err);
    }
    if (whole < 0)
        *out_status = h->request.refusal;
    return whole < 0 ? -1 : 0;
}

static int send_all(int fd, const struct buf *out, const struct deadline *by, struct error *err)
{
    for (size_t at = 0; at < out->len;) {
        ssize_t n = send(fd, out->data + at, out->len - at, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "send");
        if (n < 0 && deadline_wait(by, fd, POLLOUT, err) < 0)
            return -1;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* Reads on for a moment: closing with bytes unread would take back our answer. */
static void linger(int fd, int stop_fd)
{
    struct deadline by = deadline_in_ms(LINGER_MS);
    struct error ignored;
    char thrown_away[4096];
    ssize_t n;

    by.cancel_fd = stop_fd;
    shutdown(fd, SHUT_WR);
    while (deadline_wait(&by, fd, POLLIN, &ignored) == 0) {
        n = recv(fd, thrown_away, sizeof thrown_away, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return;
    }
}

void stream_session_refuse(int fd, int status, const char *text)
{
    AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
    struct error err;

    if (http1_write_text(&out, status, text, NULL, 0, &err) < 0 ||
        send(fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_debug("a streaming client is gone before its answer");
}

/* --- from the path to a request --- */

/* The request that "/exec/<token>" and so on stands for; NULL. */
static struct stream_request *redeem(const struct stream_session *s, const char *path)
{
    const char *slash = *path == '/' ? strchr(path + 1, '/') : NULL;
    struct stream_request *request;
    size_t len = slash ? (size_t)(slash - path - 1) : 0;
    const char *wanted;

    request = slash ? tokens_take(s->tokens, slash + 1, clock_monotonic_ns()) : NULL;
    if (!request)
        return NULL;
    wanted = stream_request_path(request->kind);
    if (strlen(wanted) == len && strncmp(path + 1, wanted, len) == 0)
        return request;
    stream_request_free(request);
    return NULL;
}

static enum mux_transport transport_of(const struct stream_request *request,
                                       const struct upgrade *u)
{
    if (u->transport == UPGRADE_SPDY)
        return MUX_SPDY;
    if (request->kind == STREAM_PORT_FORWARD && portforward_is_tunnel(u->protocol))
        return MUX_TUNNEL;
    return MUX_CHANNELS;
}

static void serve(const struct stream_session *s, const struct stream_request *request,
                  struct mux *m, const char *protocol)
{
    stream_stats_add(s->stats, (enum stream_stat)request->kind, 1);
    switch (request->kind) {
    case STREAM_EXEC:
        command_session_exec(s->node, request, m, protocol, s->stop_fd);
        return;
    case STREAM_ATTACH:
        command_session_attach(s->node, request, m, protocol, s->stop_fd);
        return;
    case STREAM_PORT_FORWARD:
        forward_session(s->node, request, m, s->stop_fd);
    }
}

/* --- the session --- */

static void refused(const struct stream_session *s, enum stream_stat stat, const char *why)
{
    log_info("streaming: %s", why);
    stream_stats_add(s->stats, stat, 1);
}

/* What is to be told of a session that is over. */
static void judge(const struct stream_session *s, const struct mux *m)
{
    if (mux_fault(m))
        refused(s, STREAM_STAT_BAD_FRAMES, mux_fault(m));
    stream_stats_add(s->stats, STREAM_STAT_BAD_STREAMS, mux_refused(m));
}

/* From the head on. Moves the socket away when the client gets what it asks for; otherwise it has
 * its answer. Returns NULL or the mux. */
static struct mux *upgrade(const struct stream_session *s, struct head *h, int *fd,
                           const struct stream_request *request, const char **out_protocol)
{
    const struct upgrade_protocols *protocols =
        request->kind == STREAM_PORT_FORWARD ? &portforward_protocols : &remotecommand_protocols;
    struct deadline by = deadline_in_ms(STREAM_SESSION_HEAD_MS);
    AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
    struct upgrade u;
    struct error err, ignored;
    int outcome;

    by.cancel_fd = s->stop_fd;
    outcome = upgrade_answer(&h->request, protocols, &out, &u, &err);
    if (outcome < 0)
        refused(s, STREAM_STAT_BAD_UPGRADE, err.text);
    if (send_all(*fd, &out, &by, &ignored) < 0 || outcome < 0)
        return NULL;
    *out_protocol = u.protocol;
    return mux_new(fd_take(fd), transport_of(request, &u), u.protocol, &h->rest);
}

static struct mux *answer(const struct stream_session *s, struct head *h, int *fd,
                          struct stream_request **out_request, const char **out_protocol)
{
    struct deadline by = deadline_in_ms(STREAM_SESSION_HEAD_MS);
    struct error err;
    int status;

    by.cancel_fd = s->stop_fd;
    if (s->gate && tls_gate_pass(s->gate, fd, &by, &err) < 0) {
        refused(s, STREAM_STAT_BAD_TLS, err.text);
        return NULL;
    }
    if (read_head(*fd, h, &by, &status, &err) < 0) {
        refused(s, STREAM_STAT_BAD_REQUEST, err.text);
        if (status)
            stream_session_refuse(*fd, status, err.text);
        return NULL;
    }
    *out_request = redeem(s, h->request.path);
    if (!*out_request) {
        refused(s, STREAM_STAT_BAD_TOKEN, "a URL that is unknown, was used, or is too old");
        stream_session_refuse(*fd, 404, "this URL is unknown, was used, or is too old\n");
        return NULL;
    }
    return upgrade(s, h, fd, *out_request, out_protocol);
}

void stream_session_run(const struct stream_session *s, int taken_fd)
{
    AUTO_CLOSE int fd = taken_fd;
    AUTO_FREE struct head *h = xcalloc(1, sizeof *h);
    AUTO(stream_request) *request = NULL;
    AUTO(mux) *m = NULL;
    const char *protocol = "";

    http1_request_init(&h->request);
    m = answer(s, h, &fd, &request, &protocol);
    http1_request_fini(&h->request);
    free(TAKE(h)); /* a session may be long */
    if (m) {
        serve(s, request, m, protocol);
        judge(s, m);
    } else if (fd >= 0) {
        linger(fd, s->stop_fd);
    }
}
