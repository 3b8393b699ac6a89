// SPDX-License-Identifier: Apache-2.0
#include "stream/forward.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "os/net_dial.h"

enum { CHUNK = 16 * 1024 };

static void enter(struct forward *f, enum forward_state state, int64_t ms)
{
    f->state = state;
    f->until_ns = ms ? clock_monotonic_ns() + ms * CLOCK_NS_PER_MS : 0;
}

struct forward *forward_new(struct mux *m, struct sandbox *s, uint16_t port)
{
    struct forward *f = xcalloc(1, sizeof *f);

    list_init(&f->link);
    f->mux = m;
    f->sandbox = s;
    f->port = port;
    f->data = f->error = -1;
    f->fd = -1;
    buf_init(&f->held, 2 * FORWARD_HELD_MAX); /* with what is sent already */
    enter(f, FORWARD_WAITING, FORWARD_PAIR_MS);
    return f;
}

void forward_free(struct forward *f)
{
    if (!f)
        return;
    list_remove(&f->link);
    fd_close(&f->fd);
    buf_fini(&f->held);
    free(f->request_id);
    free(f);
}

/* --- the end --- */

static size_t left(const struct forward *f)
{
    return f->held.len - f->held_at;
}

/* len bytes of what is held are with the pod, or of no use any more. */
static void consume(struct forward *f, size_t len)
{
    f->held_at += len;
    f->full_ns = 0;
    if (f->data >= 0)
        mux_taken(f->mux, (uint32_t)f->data, len);
    if (left(f) == 0) {
        buf_fini(&f->held);
        f->held_at = 0;
    } else if (f->held_at >= f->held.len / 2) {
        buf_consume(&f->held, f->held_at);
        f->held_at = 0;
    }
}

static void finish(struct forward *f)
{
    fd_close(&f->fd);
    consume(f, left(f));
    if (f->data >= 0)
        mux_finish(f->mux, (uint32_t)f->data);
    if (f->error >= 0)
        mux_finish(f->mux, (uint32_t)f->error);
    enter(f, FORWARD_DONE, FORWARD_LAST_MS);
}

void forward_drop(struct forward *f)
{
    if (f->data >= 0)
        mux_reset(f->mux, (uint32_t)f->data);
    if (f->error >= 0)
        mux_reset(f->mux, (uint32_t)f->error);
    finish(f);
}

/* A text that does not fit is cut: there is room, or the client is not reading anyway. */
void forward_fail(struct forward *f, const struct error *err)
{
    AUTO_FREE char *text = xasprintf("error forwarding port %u to pod %s, uid : %s", f->port,
                                     f->sandbox->id, err->text);

    if (f->error >= 0)
        mux_send(f->mux, (uint32_t)f->error, text, strlen(text));
    finish(f);
    if (f->data >= 0)
        mux_reset(f->mux, (uint32_t)f->data);
}

/* --- connecting --- */

static int dial(struct forward *f, struct error *err)
{
    AUTO_FREE char *netns = NULL;

    if (sandbox_state(f->sandbox) != SANDBOX_READY)
        return error_set(err, ERROR_UNAVAILABLE, "the pod is not ready");
    if (!sandbox_on_host_network(f->sandbox))
        netns = xasprintf("%s/ns/net", f->sandbox->dir);
    f->fd = net_dial(netns, f->is_ipv6, f->port, err);
    return f->fd < 0 ? -1 : 0;
}

/* First 127.0.0.1, then ::1. */
static void on_refused(struct forward *f, const struct error *err);

static void try(struct forward *f)
{
    struct error err;

    enter(f, FORWARD_CONNECTING, FORWARD_CONNECT_MS);
    if (dial(f, &err) < 0)
        on_refused(f, &err);
}

static void on_refused(struct forward *f, const struct error *err)
{
    struct error both;

    fd_close(&f->fd);
    if (!f->is_ipv6) {
        snprintf(f->ipv4_failure, sizeof f->ipv4_failure, "%.120s", err->text);
        f->is_ipv6 = true;
        try(f);
        return;
    }
    error_set(&both, ERROR_UNAVAILABLE,
              "failed to connect to localhost:%u inside namespace \"%s\", IPv4: %s IPv6: %s",
              f->port, f->sandbox->id, f->ipv4_failure, err->text);
    forward_fail(f, &both);
}

void forward_start(struct forward *f)
{
    try(f);
}

/* --- bytes --- */

/* To the pod, as much as it takes; then, when the client has ended, the end. */
static void carry_in(struct forward *f)
{
    while (left(f) > 0) {
        ssize_t n = send(f->fd, f->held.data + f->held_at, left(f), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        /* After an error it takes no more, but may still have something to say. */
        consume(f, n < 0 ? left(f) : (size_t)n);
    }
    if (f->client_ended)
        shutdown(f->fd, SHUT_WR);
    if (f->client_ended && f->pod_ended)
        finish(f);
}

static void carry_out(struct forward *f)
{
    char chunk[CHUNK];
    size_t room = mux_room(f->mux, (uint32_t)f->data);
    ssize_t n;

    if (room == 0)
        return;
    n = recv(f->fd, chunk, room < sizeof chunk ? room : sizeof chunk, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    for (size_t at = 0; n > 0 && at < (size_t)n;)
        at += mux_send(f->mux, (uint32_t)f->data, chunk + at, (size_t)n - at);
    if (n > 0)
        return;
    f->pod_ended = true;
    mux_finish(f->mux, (uint32_t)f->data);
    enter(f, FORWARD_OPEN, FORWARD_LAST_MS);
    if (f->client_ended && left(f) == 0)
        finish(f);
}

static void on_connected(struct forward *f)
{
    socklen_t size = sizeof(int);
    struct error err;
    int errnum = 0;

    if (getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &errnum, &size) < 0)
        errnum = errno;
    if (errnum) {
        error_errno(&err, errnum, "connect");
        on_refused(f, &err);
        return;
    }
    enter(f, FORWARD_OPEN, 0);
    carry_in(f);
}

void forward_take(struct forward *f, const void *data, size_t len)
{
    struct error err;

    if (f->state == FORWARD_DONE) {
        mux_taken(f->mux, (uint32_t)f->data, len);
        return;
    }
    if (buf_append(&f->held, data, len, &err) < 0)
        abort(); /* forward_takes() has seen to it that there is room */
    if (f->state == FORWARD_OPEN)
        carry_in(f);
}

void forward_end_input(struct forward *f)
{
    f->client_ended = true;
    if (f->state == FORWARD_OPEN)
        carry_in(f);
}

bool forward_takes(const struct forward *f, size_t held_max)
{
    return left(f) + MUX_INPUT_MAX <= held_max;
}

/* --- poll --- */

struct pollfd forward_poll(const struct forward *f)
{
    struct pollfd p = {.fd = f->fd};

    if (f->state == FORWARD_CONNECTING)
        p.events = POLLOUT;
    if (f->state == FORWARD_OPEN && left(f) > 0)
        p.events |= POLLOUT;
    if (f->state == FORWARD_OPEN && !f->pod_ended && mux_room(f->mux, (uint32_t)f->data) > 0)
        p.events |= POLLIN;
    if (!p.events)
        p.fd = -1; /* a hang-up would be told over and over */
    return p;
}

static void on_late(struct forward *f)
{
    struct error err;

    switch (f->state) {
    case FORWARD_WAITING:
        error_set(&err, ERROR_DEADLINE, "the other stream was not opened in time");
        forward_fail(f, &err);
        return;
    case FORWARD_CONNECTING:
        error_set(&err, ERROR_DEADLINE, "nobody answers");
        on_refused(f, &err);
        return;
    default:
        forward_drop(f);
    }
}

bool forward_is_over(const struct forward *f, int64_t now_ns)
{
    bool is_wanted = (f->data >= 0 && mux_has(f->mux, (uint32_t)f->data)) ||
                     (f->error >= 0 && mux_has(f->mux, (uint32_t)f->error));

    return f->state == FORWARD_DONE && (!is_wanted || now_ns >= f->until_ns);
}

void forward_serve(struct forward *f, short revents, int64_t now_ns)
{
    if (f->state == FORWARD_CONNECTING && revents)
        on_connected(f);
    if (f->state == FORWARD_OPEN && (revents & (POLLIN | POLLHUP | POLLERR)) && !f->pod_ended)
        carry_out(f);
    if (f->state == FORWARD_OPEN && left(f) > 0)
        carry_in(f);
    if (f->state != FORWARD_DONE && f->until_ns && now_ns >= f->until_ns)
        on_late(f);
}
