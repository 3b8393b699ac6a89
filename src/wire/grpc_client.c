// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_client.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "base/own.h"
#include "wire/grpc_message.h"
#include "wire/grpc_text.h"
#include "wire/http2.h"

enum { STREAM_WINDOW = 1024 * 1024, CONNECTION_WINDOW = 4 * 1024 * 1024 };

struct grpc_client {
    nghttp2_session *session;
    grpc_client_message *message;
    void *data;
    /* The call. */
    int32_t id; /* 0: none */
    struct grpc_frame *request;
    size_t request_at;
    struct grpc_message response;
    int http_status;
    int grpc_status; /* -1: has not come */
    char text[GRPC_TEXT_MESSAGE_SIZE];
    bool over;
    struct error status;
};

static void end(struct grpc_client *c, const struct error *status)
{
    if (c->over)
        return;
    c->over = true;
    c->status = *status;
}

void grpc_client_cancel(struct grpc_client *c, const struct error *status)
{
    if (c->over)
        return;
    end(c, status);
    http2_submitted(
        nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, c->id, NGHTTP2_CANCEL));
}

static ssize_t read_request(nghttp2_session *session, int32_t id, uint8_t *out, size_t len,
                            uint32_t *flags, nghttp2_data_source *source, void *data)
{
    struct grpc_client *c = data;
    size_t n = c->request->len - c->request_at;

    if (n > len)
        n = len;
    memcpy(out, c->request->data + c->request_at, n);
    c->request_at += n;
    if (c->request_at == c->request->len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int parse_number(const uint8_t *text, size_t len)
{
    int value = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || i == 4)
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return len ? value : -1;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *data)
{
    struct grpc_client *c = data;
    const char *key = (const char *)name;

    if (frame->hd.stream_id != c->id || c->over)
        return 0;
    if (strcmp(key, ":status") == 0)
        c->http_status = parse_number(value, value_len);
    else if (strcmp(key, "grpc-status") == 0)
        c->grpc_status = parse_number(value, value_len);
    else if (strcmp(key, "grpc-message") == 0)
        snprintf(c->text, sizeof c->text, "%s", (const char *)value);
    return 0;
}

static int take_response(struct grpc_client *c, const uint8_t *bytes, size_t len, struct error *err)
{
    while (len > 0) {
        ssize_t n = grpc_message_read(&c->response, bytes, len, err);

        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
        if (!grpc_message_is_complete(&c->response))
            continue;
        if (c->message(c->data, c->response.body.data, c->response.body.len, err) < 0)
            return -1;
        grpc_message_reset(&c->response);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *data)
{
    struct grpc_client *c = data;
    struct error err = {0};

    if (id != c->id || c->over || c->http_status != 200)
        return 0;
    if (take_response(c, bytes, len, &err) < 0)
        grpc_client_cancel(c, &err);
    return 0;
}

/* For servers and proxies that answer in HTTP only, as the gRPC pages map it. */
static enum error_code code_of_http(int http_status)
{
    switch (http_status) {
    case 400:
        return ERROR_INTERNAL;
    case 401:
        return ERROR_UNAUTHENTICATED;
    case 403:
        return ERROR_PERMISSION;
    case 404:
        return ERROR_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return ERROR_UNAVAILABLE;
    default:
        return ERROR_UNKNOWN;
    }
}

static enum error_code code_of_reset(uint32_t http2_error)
{
    switch (http2_error) {
    case NGHTTP2_REFUSED_STREAM:
        return ERROR_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return ERROR_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return ERROR_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return ERROR_PERMISSION;
    default:
        return ERROR_INTERNAL;
    }
}

static void judge(struct grpc_client *c, uint32_t http2_error, struct error *out)
{
    if (c->grpc_status >= 0) {
        grpc_text_decode(c->text, strlen(c->text));
        error_set(out, c->grpc_status > ERROR_UNAUTHENTICATED ? ERROR_UNKNOWN : c->grpc_status,
                  "%s", c->text);
    } else if (http2_error != NGHTTP2_NO_ERROR) {
        error_set(out, code_of_reset(http2_error), "the server reset the call: %s",
                  nghttp2_http2_strerror(http2_error));
    } else if (c->http_status != 200) {
        error_set(out, code_of_http(c->http_status), "the server answered with HTTP status %d",
                  c->http_status);
    } else {
        error_set(out, ERROR_INTERNAL, "the response has no grpc-status");
    }
    if (out->code == ERROR_OK && !grpc_message_is_empty(&c->response))
        error_set(out, ERROR_INTERNAL, "the response ends inside a message");
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *data)
{
    struct grpc_client *c = data;
    struct error status = {0};

    if (id != c->id)
        return 0;
    judge(c, code, &status);
    end(c, &status);
    return 0;
}

static int make_session(struct grpc_client *c)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    int rc;

    http2_submitted(nghttp2_session_callbacks_new(&callbacks));
    http2_submitted(nghttp2_option_new(&option));
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_set_no_closed_streams(option, 1);
    rc = nghttp2_session_client_new2(&c->session, callbacks, c, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rc;
}

struct grpc_client *grpc_client_new(size_t message_max, grpc_client_message *message, void *data,
                                    struct error *err)
{
    struct grpc_client *c = xcalloc(1, sizeof *c);
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    int rc = make_session(c);

    c->message = message;
    c->data = data;
    c->over = true;
    grpc_message_init(&c->response, message_max);
    if (rc == 0)
        rc = nghttp2_submit_settings(c->session, 0, settings, COUNT_OF(settings));
    if (rc == 0)
        rc = nghttp2_session_set_local_window_size(c->session, 0, 0, CONNECTION_WINDOW);
    if (rc == 0)
        return c;
    error_set(err, ERROR_INTERNAL, "make HTTP/2 session: %s", nghttp2_strerror(rc));
    grpc_client_free(c);
    return NULL;
}

void grpc_client_free(struct grpc_client *c)
{
    if (!c)
        return;
    nghttp2_session_del(c->session);
    grpc_frame_free(c->request);
    grpc_message_fini(&c->response);
    free(c);
}

static int submit(struct grpc_client *c, const char *path, int64_t timeout_ns)
{
    nghttp2_data_provider request = {.read_callback = read_request};
    char timeout[GRPC_TEXT_TIMEOUT_SIZE];
    nghttp2_nv fields[] = {
        http2_field(":method", "POST"),
        http2_field(":scheme", "http"),
        http2_field(":path", path),
        http2_field(":authority", "localhost"),
        http2_field("content-type", "application/grpc"),
        http2_field("te", "trailers"),
        http2_field("user-agent", "berth/" BERTH_VERSION),
        http2_field("grpc-timeout", ""),
    };
    size_t n = COUNT_OF(fields) - 1;

    if (timeout_ns >= 0) {
        grpc_text_format_timeout(timeout, timeout_ns);
        fields[n++] = http2_field("grpc-timeout", timeout);
    }
    return nghttp2_submit_request(c->session, NULL, fields, n, &request, NULL);
}

int grpc_client_start(struct grpc_client *c, const char *path, struct grpc_frame *taken,
                      int64_t timeout_ns, struct error *err)
{
    int32_t id;

    grpc_frame_free(c->request);
    c->request = taken;
    c->request_at = 0;
    if (!nghttp2_session_check_request_allowed(c->session))
        return error_set(err, ERROR_UNAVAILABLE, "the server is closing the connection");
    id = submit(c, path, timeout_ns);
    if (id < 0)
        return error_set(err, ERROR_UNAVAILABLE, "start call: %s", nghttp2_strerror(id));
    c->id = id;
    c->http_status = 0;
    c->grpc_status = -1;
    c->text[0] = '\0';
    c->over = false;
    c->status = (struct error){0};
    grpc_message_reset(&c->response);
    return 0;
}

int grpc_client_receive(struct grpc_client *c, const void *data, size_t len, struct error *err)
{
    ssize_t n = nghttp2_session_mem_recv(c->session, data, len);

    if (n < 0)
        return error_set(err, ERROR_UNAVAILABLE, "read HTTP/2: %s", nghttp2_strerror((int)n));
    return 0;
}

ssize_t grpc_client_transmit(struct grpc_client *c, const uint8_t **out, struct error *err)
{
    ssize_t n = nghttp2_session_mem_send(c->session, out);

    if (n < 0)
        return error_set(err, ERROR_UNAVAILABLE, "write HTTP/2: %s", nghttp2_strerror((int)n));
    return n;
}

bool grpc_client_is_over(const struct grpc_client *c)
{
    return c->over;
}

int grpc_client_status(const struct grpc_client *c, struct error *err)
{
    if (c->status.code == ERROR_OK)
        return 0;
    *err = c->status;
    return -1;
}
