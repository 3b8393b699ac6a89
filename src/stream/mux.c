// SPDX-License-Identifier: Apache-2.0
#include "stream/mux.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "os/deadline.h"
#include "wire/channels.h"

enum { FLUSH_MS = 600 * 1000, LINGER_MS = 2000 };

struct mux {
    int fd;
    bool is_gone;
    char *fault;
    size_t n_refused;
    struct spdy *spdy;
    struct channels *channels;
    struct websocket *tunnel;
    struct input in;    /* received, within data */
    struct input inner; /* a piece of a message of the tunnel, within in */
    uint8_t data[MUX_INPUT_MAX];
};

struct mux *mux_new(int fd, enum mux_transport transport, const char *protocol,
                    const struct input *rest)
{
    struct mux *m = xcalloc(1, sizeof *m);

    m->fd = fd;
    m->in = (struct input){m->data, rest->len < sizeof m->data ? rest->len : sizeof m->data};
    memcpy(m->data, rest->data, m->in.len);
    if (transport == MUX_CHANNELS)
        m->channels = channels_new(protocol);
    else
        m->spdy = spdy_new();
    if (transport == MUX_TUNNEL)
        m->tunnel = websocket_new();
    return m;
}

void mux_free(struct mux *m)
{
    if (!m)
        return;
    fd_close(&m->fd);
    spdy_free(m->spdy);
    channels_free(m->channels);
    websocket_free(m->tunnel);
    free(m->fault);
    free(m);
}

int mux_fd(const struct mux *m)
{
    return m->fd;
}

bool mux_is_gone(const struct mux *m)
{
    return m->is_gone;
}

const char *mux_fault(const struct mux *m)
{
    return m->fault;
}

size_t mux_refused(const struct mux *m)
{
    return m->n_refused + (m->spdy ? spdy_refused(m->spdy) : 0);
}

/* --- bytes out --- */

static struct websocket *websocket_of(const struct mux *m)
{
    return m->channels ? channels_websocket(m->channels) : m->tunnel;
}

/* From SPDY into messages, as far as there is room for them. */
static void fill_tunnel(struct mux *m)
{
    const uint8_t *data;
    size_t len, taken;

    while ((len = spdy_transmit(m->spdy, &data)) > 0) {
        taken = websocket_send(m->tunnel, WEBSOCKET_BINARY, data, len);
        if (taken == 0)
            return;
        spdy_transmitted(m->spdy, taken);
    }
}

static size_t transmit(const struct mux *m, const uint8_t **out)
{
    const struct websocket *w = websocket_of(m);

    return w ? websocket_transmit(w, out) : spdy_transmit(m->spdy, out);
}

static void transmitted(struct mux *m, size_t len)
{
    struct websocket *w = websocket_of(m);

    if (w)
        websocket_transmitted(w, len);
    else
        spdy_transmitted(m->spdy, len);
}

static void flush(struct mux *m)
{
    const uint8_t *data;
    size_t len;

    while (!m->is_gone) {
        ssize_t n;

        if (m->tunnel)
            fill_tunnel(m);
        len = transmit(m, &data);
        if (len == 0)
            return;
        n = send(m->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            m->is_gone = true;
        else
            transmitted(m, (size_t)n);
    }
}

size_t mux_room(const struct mux *m, uint32_t stream)
{
    return m->spdy ? spdy_room(m->spdy, stream) : channels_room(m->channels);
}

void mux_taken(struct mux *m, uint32_t stream, size_t len)
{
    if (m->spdy)
        spdy_taken(m->spdy, stream, len);
}

size_t mux_send(struct mux *m, uint32_t stream, const void *data, size_t len)
{
    return m->spdy ? spdy_send(m->spdy, stream, data, len)
                   : channels_send(m->channels, stream, data, len);
}

void mux_set_user(struct mux *m, uint32_t stream, void *user)
{
    spdy_set_user(m->spdy, stream, user);
}

void mux_accept(struct mux *m, uint32_t stream)
{
    spdy_accept(m->spdy, stream);
}

/* Go's WebSocket clients complain about our closing a channel, so it is not told. */
void mux_finish(struct mux *m, uint32_t stream)
{
    if (m->spdy)
        spdy_finish(m->spdy, stream);
}

void mux_reset(struct mux *m, uint32_t stream)
{
    if (m->spdy)
        spdy_reset(m->spdy, stream, SPDY_CANCEL);
}

void mux_refuse(struct mux *m, uint32_t stream)
{
    m->n_refused++;
    mux_reset(m, stream);
}

bool mux_has(const struct mux *m, uint32_t stream)
{
    return m->spdy && spdy_has(m->spdy, stream);
}

bool mux_streams_are_fixed(const struct mux *m)
{
    return m->channels != NULL;
}

/* --- bytes in --- */

/* Not all that was received is taken. */
static bool has_bytes(const struct mux *m)
{
    return m->in.len > 0 || m->inner.len > 0;
}

short mux_events(const struct mux *m, bool takes)
{
    const uint8_t *data;
    short events = takes && !has_bytes(m) ? POLLIN : POLLRDHUP;

    if (transmit(m, &data) > 0 || (m->tunnel && spdy_transmit(m->spdy, &data) > 0))
        events |= POLLOUT;
    return events;
}

static void receive(struct mux *m)
{
    ssize_t n = recv(m->fd, m->data, sizeof m->data, MSG_DONTWAIT);

    if (n > 0)
        m->in = (struct input){m->data, (size_t)n};
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        m->is_gone = true;
}

void mux_serve(struct mux *m, short revents)
{
    if (revents & (POLLERR | POLLHUP | POLLRDHUP | POLLNVAL))
        m->is_gone |= !(revents & POLLIN);
    if ((revents & POLLIN) && !has_bytes(m))
        receive(m);
    flush(m);
}

/* The client broke the protocol; it is told why. */
static void fail(struct mux *m, const struct error *why)
{
    flush(m);
    m->is_gone = true;
    m->fault = xstrdup(why->text);
}

static void next_of_spdy(struct mux *m, struct input *in, struct mux_event *out)
{
    static const enum mux_event_type types[] = {
        [SPDY_MORE] = MUX_MORE,   [SPDY_OPENED] = MUX_OPENED, [SPDY_DATA] = MUX_DATA,
        [SPDY_ENDED] = MUX_ENDED, [SPDY_RESET] = MUX_RESET,   [SPDY_GOAWAY] = MUX_MORE};
    struct error err;

    do {
        if (spdy_next(m->spdy, in, &out->opened, &err) < 0) {
            fail(m, &err);
            return;
        }
    } while (out->opened.type == SPDY_GOAWAY);
    out->type = types[out->opened.type];
    out->stream = out->opened.stream;
    out->user = out->opened.user;
    out->data = out->opened.data;
    out->len = out->opened.len;
}

static void next_of_channels(struct mux *m, struct mux_event *out)
{
    static const enum mux_event_type types[] = {[CHANNELS_MORE] = MUX_MORE,
                                                [CHANNELS_DATA] = MUX_DATA,
                                                [CHANNELS_ENDED] = MUX_ENDED,
                                                [CHANNELS_CLOSED] = MUX_GONE};
    struct channels_event event;
    struct error err;

    if (channels_next(m->channels, &m->in, &event, &err) < 0) {
        fail(m, &err);
        return;
    }
    if (event.type == CHANNELS_CLOSED) {
        flush(m);
        m->is_gone = true;
        return;
    }
    *out = (struct mux_event){
        .type = types[event.type], .stream = event.channel, .data = event.data, .len = event.len};
}

static void next_of_tunnel(struct mux *m, struct mux_event *out)
{
    struct websocket_event event;
    struct error err;

    while (!m->is_gone) {
        next_of_spdy(m, &m->inner, out);
        if (out->type != MUX_MORE || m->is_gone)
            return;
        if (websocket_next(m->tunnel, &m->in, &event, &err) < 0) {
            fail(m, &err);
        } else if (event.type == WEBSOCKET_CLOSED) {
            flush(m);
            m->is_gone = true;
        } else if (event.type == WEBSOCKET_MORE) {
            return;
        } else {
            m->inner = (struct input){(uint8_t *)event.data, event.len};
        }
    }
}

void mux_next(struct mux *m, struct mux_event *out)
{
    *out = (struct mux_event){.type = MUX_MORE};
    if (m->is_gone) {
        out->type = MUX_GONE;
        return;
    }
    if (m->tunnel)
        next_of_tunnel(m, out);
    else if (m->spdy)
        next_of_spdy(m, &m->in, out);
    else
        next_of_channels(m, out);
    if (m->is_gone)
        *out = (struct mux_event){.type = MUX_GONE};
}

/* --- the end --- */

/* Sends what waits, and throws away what comes. */
static void flush_all(struct mux *m, int stop_fd)
{
    const uint8_t *data;
    struct error ignored;

    for (;;) {
        struct deadline by = deadline_in_ms(FLUSH_MS);

        by.cancel_fd = stop_fd;
        flush(m);
        if (m->is_gone || transmit(m, &data) == 0)
            return;
        if (deadline_wait(&by, m->fd, POLLOUT, &ignored) < 0)
            return;
    }
}

static void linger(struct mux *m, int stop_fd)
{
    struct deadline by = deadline_in_ms(LINGER_MS);
    struct error ignored;
    ssize_t n;

    by.cancel_fd = stop_fd;
    shutdown(m->fd, SHUT_WR);
    while (deadline_wait(&by, m->fd, POLLIN, &ignored) == 0) {
        n = recv(m->fd, m->data, sizeof m->data, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return;
    }
}

void mux_close(struct mux *m, int stop_fd, const struct error *why)
{
    struct websocket *w = websocket_of(m);

    if (m->fault)
        linger(m, stop_fd); /* closing with bytes unread would take back what it was told */
    if (m->is_gone)
        return;
    if (m->spdy)
        spdy_goaway(m->spdy);
    flush_all(m, stop_fd);
    if (w)
        websocket_close(w, why ? WEBSOCKET_INTERNAL : WEBSOCKET_NORMAL, why ? why->text : "");
    flush_all(m, stop_fd);
    if (!m->is_gone)
        linger(m, stop_fd);
}
