// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cri.pb-c.h"
#include "wire/http2_probe_test.h"

enum { MESSAGE_MAX = 1000, HELD_MAX = 3000 };

/* A server whose requests the test answers, and a probe that talks to it. */
struct pair {
    struct grpc_server *server;
    struct http2_probe probe;
    struct grpc_stream *stream; /* of the last request */
    int requests;
    int64_t timeout_ns;
    size_t body_len;
    size_t sent;
    int closed;
};

static const char BODY[] = {0, 0, 0, 0, 2, 'h', 'i'};
static const char PATH[] = "/p.Service/Method";

static void on_requested(void *data, struct grpc_stream *stream)
{
    struct pair *p = data;

    assert_string_equal(stream->request.path, PATH);
    stream->user = p;
    p->stream = stream;
    p->requests++;
    p->timeout_ns = stream->request.timeout_ns;
    p->body_len = stream->message.body.len;
}

static void on_sent(void *data, void *user, size_t len)
{
    struct pair *p = user;

    p->sent += len;
}

static void on_closed(void *data, void *user)
{
    struct pair *p = user;

    p->closed++;
    p->stream = NULL;
}

static const struct grpc_server_events EVENTS = {on_requested, on_sent, on_closed};

/* Moves bytes until neither has anything to say. */
static void talk(struct pair *p)
{
    const uint8_t *bytes;
    struct error err;
    ssize_t n, total;

    do {
        total = 0;
        while ((n = nghttp2_session_mem_send(p->probe.session, &bytes)) > 0) {
            assert_int_equal(grpc_server_receive(p->server, bytes, (size_t)n, &err), 0);
            total += n;
        }
        while ((n = grpc_server_transmit(p->server, &bytes, &err)) > 0) {
            assert_int_equal(nghttp2_session_mem_recv(p->probe.session, bytes, (size_t)n), n);
            total += n;
        }
        assert_int_equal(n, 0);
    } while (total > 0);
}

static int setup(void **state)
{
    static const struct grpc_server_limits limits = {MESSAGE_MAX, HELD_MAX, 10};
    struct pair *p = xcalloc(1, sizeof *p);
    struct error err;

    p->server = grpc_server_new(&limits, &EVENTS, p, &err);
    assert_non_null(p->server);
    http2_probe_open(&p->probe, 65535, false);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;

    grpc_server_free(p->server);
    http2_probe_close(&p->probe);
    free(p);
    return 0;
}

static struct grpc_frame *frame_of(size_t len)
{
    Runtime__V1__VersionRequest message = RUNTIME__V1__VERSION_REQUEST__INIT;
    AUTO_FREE char *text = xcalloc(1, len + 1);
    struct grpc_frame *frame;
    struct error err;

    memset(text, 'x', len);
    message.version = text;
    frame = grpc_frame_new(&message.base, 1 << 20, &err);
    assert_non_null(frame);
    return frame;
}

static void test_a_request_gets_headers_a_message_and_trailers(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s = http2_probe_request(&p->probe, PATH, NULL, BODY, sizeof BODY);

    talk(p);
    assert_int_equal(p->requests, 1);
    assert_int_equal(p->body_len, 2);
    assert_int_equal(p->timeout_ns, -1);
    grpc_stream_send(p->stream, frame_of(10));
    grpc_stream_finish(p->stream, NULL);
    talk(p);
    assert_int_equal(s->http_status, 200);
    assert_int_equal(s->grpc_status, 0);
    assert_int_equal(s->header_frames, 2);
    assert_int_equal(s->received, GRPC_FRAME_PREFIX + 12);
    assert_int_equal(p->sent, GRPC_FRAME_PREFIX + 12);
    assert_true(s->closed);
    assert_int_equal(p->closed, 1);
}

static void test_an_error_is_one_frame_of_trailers(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s = http2_probe_request(&p->probe, PATH, NULL, BODY, sizeof BODY);
    struct error err;

    talk(p);
    error_set(&err, ERROR_NOT_FOUND, "no “x”: 100%%");
    grpc_stream_finish(p->stream, &err);
    talk(p);
    assert_int_equal(s->http_status, 200);
    assert_int_equal(s->grpc_status, ERROR_NOT_FOUND);
    assert_string_equal(s->message, "no %E2%80%9Cx%E2%80%9D: 100%25");
    assert_int_equal(s->header_frames, 1);
    assert_true(s->closed);
    assert_int_equal(s->reset, NGHTTP2_NO_ERROR);
}

static void test_what_is_no_grpc_request_is_answered_at_once(void **state)
{
    static const struct {
        nghttp2_nv header;
        int http_status;
        int grpc_status;
        const char *message;
    } cases[] = {
#define H(name, value)                                                                             \
    {(uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, 0}
        {H(":method", "PUT"), 405, ERROR_INTERNAL, "gRPC requests are POST requests"},
        {H("content-type", "application/json"), 415, ERROR_INVALID,
         "the content-type is not application/grpc"},
        {H("content-type", "application/grpc-web"), 415, ERROR_INVALID,
         "the content-type is not application/grpc"},
        {H("grpc-timeout", "1x"), 200, ERROR_INTERNAL, "malformed grpc-timeout \"1x\""},
        {H("grpc-timeout", "123456789012345678S"), 200, ERROR_INTERNAL,
         "malformed grpc-timeout \"123456789012345\""},
    };
    struct pair *p = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http2_probe_stream *s =
            http2_probe_request(&p->probe, PATH, &cases[i].header, BODY, sizeof BODY);

        talk(p);
        assert_int_equal(s->http_status, cases[i].http_status);
        assert_int_equal(s->grpc_status, cases[i].grpc_status);
        assert_string_equal(s->message, cases[i].message);
        assert_true(s->closed);
    }
    assert_int_equal(p->requests, 0);
}

static void test_headers_that_differ_but_are_fine_are_served(void **state)
{
    static const nghttp2_nv cases[] = {
        H("content-type", "application/grpc+proto"),
        H("content-type", "application/grpc;charset=utf-8"),
        H("grpc-encoding", "gzip"),
        H("grpc-timeout", "5S"),
    };
    struct pair *p = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        http2_probe_request(&p->probe, PATH, &cases[i], BODY, sizeof BODY);
        talk(p);
        assert_int_equal(p->requests, i + 1);
        grpc_stream_finish(p->stream, NULL);
        talk(p);
    }
    assert_int_equal(p->timeout_ns, INT64_C(5000000000));
}

static void test_bad_bodies_are_refused(void **state)
{
    static const struct {
        const char *body;
        size_t len;
        int status;
        const char *message;
    } cases[] = {
        {"\1\0\0\0\2hi", 7, ERROR_UNIMPLEMENTED, "compressed messages are not supported"},
        {"\0\0\0\0\2h", 6, ERROR_INTERNAL, "the request ends before its message does"},
        {"\0\0\0", 3, ERROR_INTERNAL, "the request ends before its message does"},
        {"", 0, ERROR_INTERNAL, "the request ends before its message does"},
        {"\0\0\0\0\1h\0\0\0\0\1i", 12, ERROR_INTERNAL, "more than one message in the request"},
        {"\0\0\0\3\xe9", 5, ERROR_EXHAUSTED, "message of 1001 bytes, more than the limit of 1000"},
    };
    struct pair *p = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http2_probe_stream *s =
            http2_probe_request(&p->probe, PATH, NULL, cases[i].body, cases[i].len);

        talk(p);
        assert_int_equal(s->grpc_status, cases[i].status);
        assert_string_equal(s->message, cases[i].message);
        assert_true(s->closed);
    }
    assert_int_equal(p->requests, 0);
}

static void test_an_oversize_request_ends_before_it_has_come(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s =
        http2_probe_request(&p->probe, PATH, NULL, "\0\xff\xff\xff\xff", 5);

    s->holds_open = true;
    talk(p);
    assert_int_equal(s->grpc_status, ERROR_EXHAUSTED);
    assert_true(s->closed);
}

static void test_a_connection_holds_only_so_much(void **state)
{
    static char body[GRPC_FRAME_PREFIX + MESSAGE_MAX] = {0, 0, 0, 0x3, (char)0xe8};
    struct pair *p = *state;
    struct http2_probe_stream *s[4];

    for (size_t i = 0; i < COUNT_OF(s); i++) {
        s[i] = http2_probe_request(&p->probe, PATH, NULL, body, sizeof body - 1);
        s[i]->holds_open = true;
        talk(p);
    }
    assert_int_equal(s[1]->grpc_status, -1);
    assert_int_equal(s[2]->grpc_status, ERROR_EXHAUSTED);
    assert_int_equal(s[3]->grpc_status, ERROR_EXHAUSTED);
    http2_probe_reset(&p->probe, s[0]);
    s[3] = http2_probe_request(&p->probe, PATH, NULL, body, sizeof body);
    talk(p);
    assert_int_equal(p->requests, 1);
}

static void test_too_many_headers_are_refused(void **state)
{
    AUTO_FREE char *value = xcalloc(1, GRPC_REQUEST_HEADERS_MAX);
    struct pair *p = *state;
    struct http2_probe_stream *s;
    nghttp2_nv header;

    memset(value, 'x', GRPC_REQUEST_HEADERS_MAX - 100);
    header = http2_field("filler", value);
    s = http2_probe_request(&p->probe, PATH, &header, BODY, sizeof BODY);
    talk(p);
    assert_int_equal(s->grpc_status, ERROR_EXHAUSTED);
    assert_int_equal(p->requests, 0);
}

static void test_a_slow_reader_gets_what_its_window_takes(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s;

    http2_probe_close(&p->probe);
    http2_probe_open(&p->probe, 100, true);
    s = http2_probe_request(&p->probe, PATH, NULL, BODY, sizeof BODY);
    talk(p);
    for (int i = 0; i < 3; i++)
        grpc_stream_send(p->stream, frame_of(53)); /* 60 bytes in all */
    talk(p);
    assert_int_equal(s->received, 100);
    assert_int_equal(p->sent, 60);
    http2_probe_consume(&p->probe, s, 100);
    talk(p);
    assert_int_equal(s->received, 180);
    assert_int_equal(p->sent, 180);
    assert_false(s->closed);
    grpc_stream_finish(p->stream, NULL);
    talk(p);
    assert_true(s->closed);
    assert_int_equal(s->grpc_status, 0);
}

static void test_a_reset_closes_the_stream_once(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s = http2_probe_request(&p->probe, PATH, NULL, BODY, sizeof BODY);

    talk(p);
    grpc_stream_send(p->stream, frame_of(10));
    talk(p);
    http2_probe_reset(&p->probe, s);
    talk(p);
    assert_int_equal(p->closed, 1);
}

static void test_a_response_that_nobody_can_hold_becomes_an_error(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s = http2_probe_request(&p->probe, PATH, NULL, BODY, sizeof BODY);

    talk(p);
    grpc_stream_send(p->stream, frame_of(HELD_MAX));
    grpc_stream_finish(p->stream, NULL);
    talk(p);
    assert_int_equal(s->grpc_status, ERROR_EXHAUSTED);
}

static void test_a_drained_connection_ends_with_its_last_stream(void **state)
{
    struct pair *p = *state;
    struct http2_probe_stream *s = http2_probe_request(&p->probe, PATH, NULL, BODY, sizeof BODY);

    talk(p);
    grpc_server_drain(p->server);
    grpc_server_drain(p->server);
    talk(p);
    assert_int_equal(p->probe.goaways, 2);
    assert_false(grpc_server_is_done(p->server));
    grpc_stream_finish(p->stream, NULL);
    talk(p);
    assert_int_equal(s->grpc_status, 0);
    assert_true(grpc_server_is_done(p->server));
}

static void test_an_idle_connection_drains_at_once(void **state)
{
    struct pair *p = *state;

    talk(p);
    grpc_server_drain(p->server);
    talk(p);
    assert_int_equal(p->probe.goaways, 1);
    assert_true(grpc_server_is_done(p->server));
}

static void test_what_is_not_http2_fails(void **state)
{
    struct pair *p = *state;
    struct error err = {0};

    assert_int_equal(grpc_server_receive(p->server, "GET / HTTP/1.1\r\n\r\n", 18, &err), -1);
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

#define PAIR_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PAIR_TEST(test_a_request_gets_headers_a_message_and_trailers),
        PAIR_TEST(test_an_error_is_one_frame_of_trailers),
        PAIR_TEST(test_what_is_no_grpc_request_is_answered_at_once),
        PAIR_TEST(test_headers_that_differ_but_are_fine_are_served),
        PAIR_TEST(test_bad_bodies_are_refused),
        PAIR_TEST(test_an_oversize_request_ends_before_it_has_come),
        PAIR_TEST(test_a_connection_holds_only_so_much),
        PAIR_TEST(test_too_many_headers_are_refused),
        PAIR_TEST(test_a_slow_reader_gets_what_its_window_takes),
        PAIR_TEST(test_a_reset_closes_the_stream_once),
        PAIR_TEST(test_a_response_that_nobody_can_hold_becomes_an_error),
        PAIR_TEST(test_a_drained_connection_ends_with_its_last_stream),
        PAIR_TEST(test_an_idle_connection_drains_at_once),
        PAIR_TEST(test_what_is_not_http2_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
