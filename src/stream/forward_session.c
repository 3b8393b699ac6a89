// SPDX-License-Identifier: Apache-2.0
#include "stream/forward_session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "stream/forward.h"
#include "wire/portforward.h"

enum { SOCKET, STOP, FORWARDS, IDLE_MS = 4 * 3600 * 1000 };

/* From the client, for all connections, before many of them get less. */
enum { SESSION_HELD = 4 * FORWARD_HELD_MAX };

struct session {
    struct sandbox *sandbox;
    struct mux *mux;
    int stop_fd;
    struct list forwards;
    size_t n_forwards;
    struct pollfd *polled; /* FORWARDS and one for each forward */
    size_t polled_max;
};

/* --- streams --- */

static struct forward *find_waiting(struct session *s, const struct portforward_stream *stream)
{
    LIST_EACH(entry, &s->forwards)
    {
        struct forward *f = LIST_OF(entry, struct forward, link);

        if (f->state == FORWARD_WAITING && f->request_id &&
            strcmp(f->request_id, stream->request_id) == 0)
            return f;
    }
    return NULL;
}

static struct forward *add(struct session *s, uint16_t port)
{
    struct forward *f = forward_new(s->mux, s->sandbox, port);

    list_add(&s->forwards, &f->link);
    s->n_forwards++;
    return f;
}

static void open_stream(struct session *s, const struct mux_event *event)
{
    struct portforward_stream stream;
    struct error err;
    struct forward *f;
    int64_t *place;

    if (portforward_stream_parse(&event->opened, &stream, &err) < 0) {
        log_info("port forward to pod %s: %s", s->sandbox->id, err.text);
        mux_refuse(s->mux, event->stream);
        return;
    }
    f = find_waiting(s, &stream);
    if (!f && s->n_forwards >= FORWARD_SESSION_MAX) {
        mux_refuse(s->mux, event->stream);
        return;
    }
    if (!f) {
        f = add(s, stream.port);
        f->request_id = xstrdup(stream.request_id);
    }
    place = stream.is_error ? &f->error : &f->data;
    if (*place >= 0 || f->port != stream.port) {
        mux_refuse(s->mux, event->stream);
        error_set(&err, ERROR_INVALID, "the streams of request %s are no pair", stream.request_id);
        forward_fail(f, &err);
        return;
    }
    *place = event->stream;
    mux_set_user(s->mux, event->stream, f);
    mux_accept(s->mux, event->stream);
    if (f->data >= 0 && f->error >= 0)
        forward_start(f);
}

static struct forward *forward_of(struct session *s, const struct mux_event *event)
{
    if (!mux_streams_are_fixed(s->mux))
        return event->user;
    LIST_EACH(entry, &s->forwards)
    {
        struct forward *f = LIST_OF(entry, struct forward, link);

        if (f->data == event->stream || f->error == event->stream)
            return f;
    }
    return NULL;
}

/* Returns the connection that it is for, or NULL. */
static const struct forward *take_event(struct session *s, const struct mux_event *event)
{
    struct forward *f = event->type == MUX_OPENED ? NULL : forward_of(s, event);

    if (event->type == MUX_OPENED)
        open_stream(s, event);
    else if (!f || f->data != event->stream)
        return NULL; /* nothing comes on an error stream, but its end */
    else if (event->type == MUX_DATA)
        forward_take(f, event->data, event->len);
    else if (event->type == MUX_ENDED)
        forward_end_input(f);
    else if (event->type == MUX_RESET)
        forward_drop(f);
    return f;
}

/* --- the loop --- */

/* What a connection may hold, so that all of them together stay within bounds. */
static size_t held_max(const struct session *s)
{
    size_t share = SESSION_HELD / (s->n_forwards + 1);

    if (share > FORWARD_HELD_MAX)
        return FORWARD_HELD_MAX;
    return share > FORWARD_HELD_MIN ? share : FORWARD_HELD_MIN;
}

/* Once a connection holds all it may, the others have to wait for its pod: a client that knows no
 * windows cannot be told to send the one and not the other. */
static bool takes(const struct session *s)
{
    size_t max = held_max(s);

    LIST_EACH(entry, &s->forwards)
    if (!forward_takes(LIST_OF(entry, struct forward, link), max))
        return false;
    return true;
}

static void take(struct session *s)
{
    const struct forward *fed;
    struct mux_event event;
    bool more = takes(s);

    while (more) {
        mux_next(s->mux, &event);
        if (event.type == MUX_MORE || event.type == MUX_GONE)
            return;
        fed = take_event(s, &event);
        more = !fed || forward_takes(fed, held_max(s));
    }
}

/* Not for ever, if there are others. */
static void judge_full(struct session *s, struct forward *f, int64_t now_ns)
{
    struct error err;

    if (f->state == FORWARD_DONE || s->n_forwards == 1 || forward_takes(f, held_max(s))) {
        f->full_ns = 0;
    } else if (!f->full_ns) {
        f->full_ns = now_ns;
    } else if (now_ns - f->full_ns >= FORWARD_STALL_MS * CLOCK_NS_PER_MS) {
        error_set(&err, ERROR_DEADLINE,
                  "the pod has read nothing for %d seconds, and other connections wait",
                  FORWARD_STALL_MS / 1000);
        forward_fail(f, &err);
    }
}

static size_t set_up(struct session *s)
{
    int64_t now_ns = clock_monotonic_ns();
    size_t n = FORWARDS;

    if (s->polled_max < FORWARDS + s->n_forwards) {
        s->polled_max = 2 * (FORWARDS + s->n_forwards);
        s->polled = xrealloc(s->polled, s->polled_max * sizeof *s->polled);
    }
    s->polled[SOCKET] =
        (struct pollfd){.fd = mux_fd(s->mux), .events = mux_events(s->mux, takes(s))};
    s->polled[STOP] = (struct pollfd){.fd = s->stop_fd, .events = POLLIN};
    LIST_EACH(entry, &s->forwards)
    {
        struct forward *f = LIST_OF(entry, struct forward, link);

        judge_full(s, f, now_ns);
        s->polled[n++] = forward_poll(f);
    }
    return n;
}

static void serve_forwards(struct session *s, int64_t now_ns)
{
    size_t n = FORWARDS;

    LIST_EACH(entry, &s->forwards)
    {
        struct forward *f = LIST_OF(entry, struct forward, link);

        forward_serve(f, s->polled[n++].revents, now_ns);
        if (!forward_is_over(f, now_ns))
            continue;
        forward_drop(f);
        forward_free(f);
        s->n_forwards--;
    }
    /* Who was first comes last next time, so that nobody takes all the room. */
    if (!list_is_empty(&s->forwards)) {
        struct list *first = s->forwards.next;

        list_remove(first);
        list_add(&s->forwards, first);
    }
}

/* Until the next forward is late. */
static int timeout_ms(const struct session *s)
{
    int64_t soonest = INT64_MAX, left;

    LIST_EACH(entry, &s->forwards)
    {
        const struct forward *f = LIST_OF(entry, struct forward, link);

        int64_t stalled_ns = f->full_ns + FORWARD_STALL_MS * CLOCK_NS_PER_MS;

        if (f->until_ns && f->until_ns < soonest)
            soonest = f->until_ns;
        if (f->full_ns && stalled_ns < soonest)
            soonest = stalled_ns;
    }
    if (soonest == INT64_MAX)
        return s->n_forwards > 0 ? -1 : IDLE_MS;
    left = soonest - clock_monotonic_ns();
    return left > 0 ? (int)(left / CLOCK_NS_PER_MS) + 1 : 0;
}

static int run(struct session *s, struct error *err)
{
    bool is_fixed = mux_streams_are_fixed(s->mux);

    while (!mux_is_gone(s->mux) && !(is_fixed && s->n_forwards == 0)) {
        size_t n = set_up(s);
        int ready = poll(s->polled, n, timeout_ms(s));

        if (ready < 0 && errno == EINTR)
            continue;
        if (ready < 0)
            return error_errno(err, errno, "poll");
        if (ready == 0 && s->n_forwards == 0)
            return error_set(err, ERROR_DEADLINE, "nothing happened for too long");
        if (s->polled[STOP].revents)
            return error_set(err, ERROR_UNAVAILABLE, "berthd is stopping");
        serve_forwards(s, clock_monotonic_ns());
        mux_serve(s->mux, s->polled[SOCKET].revents);
        take(s);
        mux_serve(s->mux, 0);
    }
    return 0;
}

/* --- the session --- */

/* Each channel begins with the port, from us. */
static void open_channels(struct session *s, const struct stream_request *request)
{
    for (size_t i = 0; i < request->n_ports; i++) {
        uint16_t port = request->ports[i];
        uint8_t bytes[2] = {(uint8_t)(port & 0xff), (uint8_t)(port >> 8)};
        struct forward *f = add(s, port);

        f->data = (int64_t)(2 * i);
        f->error = f->data + 1;
        mux_send(s->mux, (uint32_t)f->data, bytes, sizeof bytes);
        mux_send(s->mux, (uint32_t)f->error, bytes, sizeof bytes);
        forward_start(f);
    }
    mux_serve(s->mux, 0);
}

void forward_session(struct node *n, const struct stream_request *request, struct mux *m,
                     int stop_fd)
{
    struct error err = {0};
    AUTO(sandbox) *sandbox = sandbox_find(n, request->id, &err);
    struct session s = {.sandbox = sandbox, .mux = m, .stop_fd = stop_fd};
    int outcome = -1;

    list_init(&s.forwards);
    if (sandbox) {
        if (mux_streams_are_fixed(m))
            open_channels(&s, request);
        take(&s);
        outcome = run(&s, &err);
    }
    if (outcome < 0)
        log_info("port forward to pod %s: %s", request->id, err.text);
    while (!list_is_empty(&s.forwards))
        forward_free(LIST_OF(s.forwards.next, struct forward, link));
    free(s.polled);
    mux_close(m, stop_fd, outcome < 0 ? &err : NULL);
}
