// SPDX-License-Identifier: Apache-2.0
#include "stream/conversation.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"

enum {
    CHUNK = 32 * 1024,
    DRAIN_MS = 50, /* for what others who hold the outputs are about to write */
    IDLE_MS = 4 * 3600 * 1000,
};

enum { SOCKET, IN, OUT, ERR, ENDED, STOP, POLLED };

static const int streams[2] = {REMOTECOMMAND_STDOUT, REMOTECOMMAND_STDERR};

/* How much of an output the client takes now; everything if it did not ask for it. */
static size_t room_of(const struct conversation *c, size_t which)
{
    int64_t stream = c->remote->streams[streams[which]];

    return stream >= 0 ? mux_room(c->remote->mux, (uint32_t)stream) : CHUNK;
}

static bool is_blocked(const struct conversation *c)
{
    return (c->outs[0] >= 0 && room_of(c, 0) == 0) || (c->outs[1] >= 0 && room_of(c, 1) == 0);
}

/* From an output to the client, as much as there is room for. Returns false at its end. */
static bool carry_output(struct conversation *c, size_t which)
{
    char chunk[CHUNK];
    size_t room = room_of(c, which);
    int64_t stream = c->remote->streams[streams[which]];
    ssize_t n = read(c->outs[which], chunk, room < sizeof chunk ? room : sizeof chunk);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    for (size_t at = 0; stream >= 0 && at < (size_t)n;) {
        size_t sent = mux_send(c->remote->mux, (uint32_t)stream, chunk + at, (size_t)n - at);

        if (sent == 0)
            abort(); /* there was room for it */
        at += sent;
    }
    return n > 0;
}

/* From the client to the command, as much as it takes. */
static void carry_input(struct conversation *c)
{
    struct buf *input = &c->remote->input;
    ssize_t n;

    if (c->in >= 0 && input->len > 0) {
        n = write(c->in, input->data, input->len);
        if (n > 0)
            remote_consume(c->remote, (size_t)n);
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            fd_close(&c->in); /* it reads no more */
    }
    if (c->in < 0)
        remote_consume(c->remote, input->len);
    else if (input->len == 0 && c->remote->input_ended)
        fd_close(&c->in);
}

static void set_up(const struct conversation *c, struct pollfd polled[POLLED])
{
    struct remote *r = c->remote;

    polled[SOCKET] =
        (struct pollfd){.fd = mux_fd(r->mux), .events = mux_events(r->mux, remote_takes(r))};
    polled[IN] = (struct pollfd){.fd = c->in, .events = r->input.len > 0 ? POLLOUT : 0};
    for (int i = 0; i < 2; i++)
        polled[OUT + i] = (struct pollfd){
            .fd = c->outs[i] >= 0 && room_of(c, (size_t)i) > 0 ? c->outs[i] : -1, .events = POLLIN};
    polled[ENDED] = (struct pollfd){.fd = c->ended_fd, .events = POLLIN};
    polled[STOP] = (struct pollfd){.fd = c->stop_fd, .events = POLLIN};
}

static void serve(struct conversation *c, const struct pollfd polled[POLLED])
{
    struct remote *r = c->remote;

    if (polled[SOCKET].revents)
        mux_serve(r->mux, polled[SOCKET].revents);
    remote_take(r);
    if (r->has_size) {
        r->has_size = false;
        c->resize(c->data, &r->size);
    }
    if (polled[IN].revents & POLLERR)
        fd_close(&c->in);
    carry_input(c);
    remote_take(r); /* there may be room now for what was received */
    for (size_t i = 0; i < 2; i++)
        if (polled[OUT + i].revents && room_of(c, i) > 0 && !carry_output(c, i))
            fd_close(&c->outs[i]);
    mux_serve(r->mux, 0);
}

static bool is_over(const struct conversation *c, bool has_ended, bool is_quiet)
{
    bool is_drained = c->outs[0] < 0 && c->outs[1] < 0;

    if (c->ended_fd >= 0 || has_ended)
        return has_ended && (is_drained || is_quiet);
    /* Attached: to the outputs if there are any, else to the input. */
    return (is_drained && (c->has_outputs || c->in < 0)) ||
           (c->ends_with_input && c->in < 0 && c->remote->input_ended);
}

static int run(struct conversation *c, struct error *err)
{
    bool has_ended = false, is_quiet = false;

    while (!is_over(c, has_ended, is_quiet)) {
        struct pollfd polled[POLLED];
        int n;

        set_up(c, polled);
        n = poll(polled, POLLED, has_ended && !is_blocked(c) ? DRAIN_MS : IDLE_MS);
        if (n < 0 && errno != EINTR)
            return error_errno(err, errno, "poll");
        if (n <= 0 && !has_ended && errno != EINTR)
            return error_set(err, ERROR_CANCELLED, "nothing happened for too long");
        is_quiet = n == 0;
        if (n <= 0)
            continue;
        if (polled[ENDED].revents) {
            has_ended = true;
            c->ended_fd = -1;
        }
        if (polled[STOP].revents)
            return error_set(err, ERROR_UNAVAILABLE, "berthd is stopping");
        serve(c, polled);
        if (mux_is_gone(c->remote->mux))
            return error_set(err, ERROR_CANCELLED, "the client is gone");
    }
    return 0;
}

int conversation_run(struct conversation *c, struct error *err)
{
    int outcome;

    c->has_outputs = c->outs[0] >= 0 || c->outs[1] >= 0;
    remote_take(c->remote);
    outcome = run(c, err);
    fd_close(&c->in);
    for (size_t i = 0; i < 2; i++)
        fd_close(&c->outs[i]);
    return outcome;
}
