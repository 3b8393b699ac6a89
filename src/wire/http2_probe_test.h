// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "wire/grpc_text.h"
#include "wire/http2.h"

/* http2_probe: for tests, a client that can do what grpc_client never does: wrong headers, half
 * requests, many streams at once, cancelling, not reading. */
enum { HTTP2_PROBE_STREAMS = 512, HTTP2_PROBE_HEADERS = 8 };

struct http2_probe_stream {
    int32_t id;
    const char *body; /* borrowed */
    size_t body_len;
    size_t body_at;
    bool holds_open; /* does not end the request behind the body */
    int http_status;
    int grpc_status; /* -1: none came */
    char message[GRPC_TEXT_MESSAGE_SIZE];
    int header_frames;
    size_t received; /* bytes of the response */
    bool closed;
    uint32_t reset;
};

struct http2_probe {
    nghttp2_session *session;
    struct http2_probe_stream streams[HTTP2_PROBE_STREAMS];
    size_t n;
    size_t n_closed;
    int goaways;
};

static inline struct http2_probe_stream *http2_probe_find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static inline int http2_probe_on_header(nghttp2_session *session, const nghttp2_frame *frame,
                                        const uint8_t *name, size_t name_len, const uint8_t *value,
                                        size_t value_len, uint8_t flags, void *data)
{
    struct http2_probe_stream *s = http2_probe_find(session, frame->hd.stream_id);
    const char *key = (const char *)name, *text = (const char *)value;

    if (strcmp(key, ":status") == 0)
        s->http_status = (int)strtol(text, NULL, 10);
    else if (strcmp(key, "grpc-status") == 0)
        s->grpc_status = (int)strtol(text, NULL, 10);
    else if (strcmp(key, "grpc-message") == 0)
        snprintf(s->message, sizeof s->message, "%s", text);
    return 0;
}

static inline int http2_probe_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                                      const uint8_t *bytes, size_t len, void *data)
{
    http2_probe_find(session, id)->received += len;
    return 0;
}

static inline int http2_probe_on_frame(nghttp2_session *session, const nghttp2_frame *frame,
                                       void *data)
{
    struct http2_probe *p = data;

    if (frame->hd.type == NGHTTP2_GOAWAY)
        p->goaways++;
    if (frame->hd.type == NGHTTP2_HEADERS)
        http2_probe_find(session, frame->hd.stream_id)->header_frames++;
    return 0;
}

static inline int http2_probe_on_close(nghttp2_session *session, int32_t id, uint32_t code,
                                       void *data)
{
    struct http2_probe *p = data;
    struct http2_probe_stream *s = http2_probe_find(session, id);

    s->closed = true;
    s->reset = code;
    p->n_closed++;
    return 0;
}

static inline ssize_t http2_probe_read(nghttp2_session *session, int32_t id, uint8_t *out,
                                       size_t len, uint32_t *flags, nghttp2_data_source *source,
                                       void *data)
{
    struct http2_probe_stream *s = source->ptr;
    size_t n = s->body_len - s->body_at < len ? s->body_len - s->body_at : len;

    if (n > 0)
        memcpy(out, s->body + s->body_at, n);
    s->body_at += n;
    if (s->body_at < s->body_len)
        return (ssize_t)n;
    if (!s->holds_open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return n == 0 && s->holds_open ? NGHTTP2_ERR_DEFERRED : (ssize_t)n;
}

/* window: what the server may send on each stream, and without more acknowledgement when
 * reads_slowly. */
static inline void http2_probe_open(struct http2_probe *p, uint32_t window, bool reads_slowly)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window}};

    memset(p, 0, sizeof *p);
    http2_submitted(nghttp2_session_callbacks_new(&callbacks));
    http2_submitted(nghttp2_option_new(&option));
    nghttp2_session_callbacks_set_on_header_callback(callbacks, http2_probe_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, http2_probe_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, http2_probe_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, http2_probe_on_close);
    nghttp2_option_set_no_auto_window_update(option, reads_slowly);
    nghttp2_option_set_peer_max_concurrent_streams(option, HTTP2_PROBE_STREAMS);
    nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
    nghttp2_session_client_new2(&p->session, callbacks, p, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    http2_submitted(nghttp2_submit_settings(p->session, 0, settings, 1));
}

static inline void http2_probe_close(struct http2_probe *p)
{
    nghttp2_session_del(p->session);
}

/* extra: one more header, or NULL. The body is borrowed until the stream is closed. */
static inline struct http2_probe_stream *http2_probe_request(struct http2_probe *p,
                                                             const char *path,
                                                             const nghttp2_nv *extra,
                                                             const char *body, size_t body_len)
{
    struct http2_probe_stream *s = &p->streams[p->n++];
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = http2_probe_read};
    nghttp2_nv fields[HTTP2_PROBE_HEADERS] = {
        http2_field(":method", "POST"), http2_field(":scheme", "http"),
        http2_field(":path", path),     http2_field(":authority", "localhost"),
        http2_field("te", "trailers"),  http2_field("content-type", "application/grpc"),
    };
    size_t n = 6;

    s->grpc_status = -1;
    s->body = body;
    s->body_len = body_len;
    if (extra) {
        size_t at = 0;

        while (at < n && (fields[at].namelen != extra->namelen ||
                          memcmp(fields[at].name, extra->name, extra->namelen) != 0))
            at++;
        fields[at] = *extra;
        if (at == n)
            n++;
    }
    s->id = nghttp2_submit_request(p->session, NULL, fields, n, &provider, s);
    return s;
}

static inline void http2_probe_reset(struct http2_probe *p, struct http2_probe_stream *s)
{
    http2_submitted(nghttp2_submit_rst_stream(p->session, 0, s->id, NGHTTP2_CANCEL));
}

/* Reads on: for a probe that reads slowly. */
static inline void http2_probe_consume(struct http2_probe *p, struct http2_probe_stream *s,
                                       size_t len)
{
    http2_submitted(nghttp2_session_consume(p->session, s->id, len));
}
