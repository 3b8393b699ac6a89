// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_server.h"

#include <nghttp2/nghttp2.h>

#include "base/own.h"
#include "wire/http2.h"

/* nghttp2 keeps the protocol; here its events become requests. The windows for what we receive open
 * again as soon as the bytes are put away: the limits of each message and of all that the
 * connection holds bound them. */
struct grpc_server {
    struct grpc_streams streams;
    size_t message_max;
    const struct grpc_server_events *events;
    void *data;
    enum { OPEN, DRAINING, DRAINED } state;
};

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct grpc_server *s = data;
    struct grpc_stream *stream;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    stream = grpc_stream_new(&s->streams, frame->hd.stream_id, s->message_max);
    http2_submitted(nghttp2_session_set_stream_user_data(session, stream->id, stream));
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *data)
{
    struct grpc_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    if (stream && frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        grpc_request_add_header(&stream->request, (const char *)name, (const char *)value,
                                value_len);
    return 0;
}

static void end_connection(struct grpc_server *s)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(s->streams.session);

    s->state = DRAINED;
    http2_submitted(nghttp2_submit_goaway(s->streams.session, NGHTTP2_FLAG_NONE, last,
                                          NGHTTP2_NO_ERROR, NULL, 0));
}

static void request_is_whole(struct grpc_server *s, struct grpc_stream *stream)
{
    struct error err;

    if (grpc_message_is_complete(&stream->message)) {
        s->events->requested(s->data, stream);
        return;
    }
    error_set(&err, ERROR_INTERNAL, "the request ends before its message does");
    grpc_stream_refuse(stream, 200, &err);
}

static void on_request_frame(struct grpc_server *s, struct grpc_stream *stream,
                             const nghttp2_frame *frame)
{
    bool is_head = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    bool is_last = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct error err;
    int http_status;

    stream->requested = is_last;
    if (is_head && grpc_request_check(&stream->request, &http_status, &err) < 0)
        grpc_stream_refuse(stream, http_status, &err);
    if (is_last && !stream->finished)
        request_is_whole(s, stream);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct grpc_server *s = data;
    struct grpc_stream *stream;

    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (stream)
            on_request_frame(s, stream, frame);
        break;
    case NGHTTP2_PING:
        if (s->state != DRAINING || !(frame->hd.flags & NGHTTP2_FLAG_ACK))
            break;
        end_connection(s);
        break;
    default:
        break;
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *data)
{
    struct grpc_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    struct error err;

    if (stream && !stream->finished && grpc_stream_read(stream, bytes, len, &err) < 0)
        grpc_stream_refuse(stream, 200, &err);
    return 0;
}

/* An answer that comes before the end of its request: the rest is not wanted. Only now, because a
 * stream that is to be reset sends nothing more. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *data)
{
    struct grpc_stream *stream;

    if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream && !stream->requested)
        http2_submitted(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                                  NGHTTP2_NO_ERROR));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *data)
{
    struct grpc_server *s = data;
    struct grpc_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    void *user = stream ? stream->user : NULL;

    if (stream)
        grpc_stream_free(stream);
    if (user)
        s->events->closed(s->data, user);
    return 0;
}

static int make_session(struct grpc_server *s)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    int rc;

    http2_submitted(nghttp2_session_callbacks_new(&callbacks));
    http2_submitted(nghttp2_option_new(&option));
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, 100);
    rc = nghttp2_session_server_new2(&s->streams.session, callbacks, s, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rc;
}

struct grpc_server *grpc_server_new(const struct grpc_server_limits *limits,
                                    const struct grpc_server_events *events, void *data,
                                    struct error *err)
{
    struct grpc_server *s = xcalloc(1, sizeof *s);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams_max},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_SERVER_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_REQUEST_HEADERS_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    int rc;

    s->message_max = limits->message_max;
    s->streams.held_max = limits->held_max;
    s->streams.sent = events->sent;
    s->streams.data = data;
    list_init(&s->streams.all);
    s->events = events;
    s->data = data;
    rc = make_session(s);
    if (rc == 0)
        rc = nghttp2_submit_settings(s->streams.session, 0, settings, COUNT_OF(settings));
    if (rc == 0)
        rc = nghttp2_session_set_local_window_size(s->streams.session, 0, 0,
                                                   GRPC_SERVER_CONNECTION_WINDOW);
    if (rc == 0)
        return s;
    error_set(err, ERROR_INTERNAL, "make HTTP/2 session: %s", nghttp2_strerror(rc));
    grpc_server_free(s);
    return NULL;
}

void grpc_server_free(struct grpc_server *s)
{
    if (!s)
        return;
    LIST_EACH(entry, &s->streams.all)
    grpc_stream_free(LIST_OF(entry, struct grpc_stream, link));
    nghttp2_session_del(s->streams.session);
    free(s);
}

int grpc_server_receive(struct grpc_server *s, const void *data, size_t len, struct error *err)
{
    ssize_t n = nghttp2_session_mem_recv(s->streams.session, data, len);

    if (n < 0)
        return error_set(err, ERROR_UNAVAILABLE, "read HTTP/2: %s", nghttp2_strerror((int)n));
    return 0;
}

ssize_t grpc_server_transmit(struct grpc_server *s, const uint8_t **out, struct error *err)
{
    ssize_t n = nghttp2_session_mem_send(s->streams.session, out);

    if (n < 0)
        return error_set(err, ERROR_UNAVAILABLE, "write HTTP/2: %s", nghttp2_strerror((int)n));
    return n;
}

bool grpc_server_is_done(const struct grpc_server *s)
{
    return !nghttp2_session_want_read(s->streams.session) &&
           !nghttp2_session_want_write(s->streams.session);
}

void grpc_server_drain(struct grpc_server *s)
{
    if (s->state != OPEN)
        return;
    s->state = DRAINING;
    if (list_is_empty(&s->streams.all)) {
        end_connection(s);
        return;
    }
    http2_submitted(nghttp2_submit_shutdown_notice(s->streams.session));
    http2_submitted(nghttp2_submit_ping(s->streams.session, NGHTTP2_FLAG_NONE, NULL));
}
