// SPDX-License-Identifier: Apache-2.0
#include "stream/remote.h"

#include <poll.h>
#include <string.h>

enum { STALL_MS = 600 * 1000 };

void remote_init(struct remote *r, struct mux *m, const char *protocol)
{
    *r = (struct remote){
        .mux = m, .version = remotecommand_version(protocol), .input = BUF(REMOTE_STDIN_MAX)};
    for (size_t i = 0; i < REMOTECOMMAND_STREAMS; i++)
        r->streams[i] = -1;
    remotecommand_resizes_init(&r->resizes);
}

void remote_fini(struct remote *r)
{
    remotecommand_resizes_fini(&r->resizes);
    buf_fini(&r->input);
}

static bool expects(const struct remote *r, const struct stream_request *request, size_t stream)
{
    switch (stream) {
    case REMOTECOMMAND_STDIN:
        return request->has_stdin;
    case REMOTECOMMAND_STDOUT:
        return request->has_stdout;
    case REMOTECOMMAND_STDERR:
        return request->has_stderr;
    case REMOTECOMMAND_RESIZE:
        return request->tty && r->version >= REMOTECOMMAND_V3;
    default:
        return true;
    }
}

static bool is_open(const struct remote *r, const struct stream_request *request)
{
    for (size_t i = 0; i < REMOTECOMMAND_STREAMS; i++)
        if (expects(r, request, i) && r->streams[i] < 0)
            return false;
    return true;
}

bool remote_takes(const struct remote *r)
{
    return r->input.len + MUX_INPUT_MAX <= r->input.max;
}

static int stream_of(const struct remote *r, uint32_t id)
{
    for (int i = 0; i < REMOTECOMMAND_STREAMS; i++)
        if (r->streams[i] == id)
            return i;
    return -1;
}

static void open_stream(struct remote *r, const struct mux_event *event)
{
    int stream = remotecommand_stream_find(spdy_event_find(&event->opened, "streamtype"));

    if (stream < 0 || r->streams[stream] >= 0) {
        mux_refuse(r->mux, event->stream);
        return;
    }
    r->streams[stream] = event->stream;
    mux_accept(r->mux, event->stream);
}

static void take_data(struct remote *r, const struct mux_event *event)
{
    int stream = stream_of(r, event->stream), resized;
    struct remotecommand_size size;
    struct error err;

    if (stream == REMOTECOMMAND_STDIN && !r->input_ended) {
        if (buf_append(&r->input, event->data, event->len, &err) < 0)
            abort(); /* remote_takes() has seen to it that there is room */
        return;
    }
    mux_taken(r->mux, event->stream, event->len);
    if (stream != REMOTECOMMAND_RESIZE)
        return;
    resized = remotecommand_resizes_feed(&r->resizes, event->data, event->len, &size, &err);
    if (resized < 0)
        mux_reset(r->mux, event->stream);
    if (resized > 0) {
        r->size = size;
        r->has_size = true;
    }
}

void remote_take(struct remote *r)
{
    struct mux_event event;

    while (remote_takes(r)) {
        mux_next(r->mux, &event);
        if (event.type == MUX_MORE || event.type == MUX_GONE)
            return;
        if (event.type == MUX_OPENED)
            open_stream(r, &event);
        else if (event.type == MUX_DATA)
            take_data(r, &event);
        else if (stream_of(r, event.stream) == REMOTECOMMAND_STDIN)
            r->input_ended = true;
    }
}

void remote_consume(struct remote *r, size_t len)
{
    buf_consume(&r->input, len);
    if (r->streams[REMOTECOMMAND_STDIN] >= 0)
        mux_taken(r->mux, (uint32_t)r->streams[REMOTECOMMAND_STDIN], len);
}

/* An empty message on the first channel that is ours tells the client that we are here. */
static void take_channels(struct remote *r, const struct stream_request *request)
{
    for (size_t i = 0; i < REMOTECOMMAND_STREAMS; i++)
        if (expects(r, request, i) || i == REMOTECOMMAND_RESIZE)
            r->streams[i] = (int64_t)i;
    for (size_t i = REMOTECOMMAND_STDOUT; i <= REMOTECOMMAND_ERROR; i++) {
        if (r->streams[i] >= 0) {
            mux_send(r->mux, (uint32_t)i, "", 0);
            break;
        }
    }
    mux_serve(r->mux, 0);
}

int remote_open(struct remote *r, const struct stream_request *request, const struct deadline *by,
                struct error *err)
{
    if (mux_streams_are_fixed(r->mux))
        take_channels(r, request);
    for (;;) {
        short events;

        remote_take(r);
        if (mux_is_gone(r->mux))
            return error_set(err, ERROR_CANCELLED, "the client is gone");
        if (is_open(r, request))
            return 0;
        if (!remote_takes(r))
            return error_set(err, ERROR_INVALID,
                             "the client sends before it has opened its streams");
        events = mux_events(r->mux, true);
        if (deadline_wait(by, mux_fd(r->mux), events, err) < 0)
            return error_wrap(err, "wait for the client to open its streams");
        mux_serve(r->mux, events);
    }
}

/* All of it, however slow the client is. */
static void send_all(struct remote *r, int64_t stream, const char *text, int stop_fd)
{
    size_t len = strlen(text);

    while (stream >= 0 && len > 0 && !mux_is_gone(r->mux)) {
        size_t taken = mux_send(r->mux, (uint32_t)stream, text, len);
        struct pollfd polled[2] = {{.fd = mux_fd(r->mux), .events = mux_events(r->mux, false)},
                                   {.fd = stop_fd, .events = POLLIN}};

        text += taken;
        len -= taken;
        if (len > 0 && (poll(polled, 2, STALL_MS) <= 0 || polled[1].revents))
            return;
        mux_serve(r->mux, polled[0].revents);
    }
}

void remote_finish(struct remote *r, const struct remotecommand_end *end, int stop_fd)
{
    AUTO_FREE char *status = remotecommand_status(r->version, end);

    for (int i = REMOTECOMMAND_STDIN; i <= REMOTECOMMAND_STDERR; i++)
        if (r->streams[i] >= 0)
            mux_finish(r->mux, (uint32_t)r->streams[i]);
    send_all(r, r->streams[REMOTECOMMAND_ERROR], status, stop_fd);
    if (r->streams[REMOTECOMMAND_ERROR] >= 0)
        mux_finish(r->mux, (uint32_t)r->streams[REMOTECOMMAND_ERROR]);
}
