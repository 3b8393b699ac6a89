// SPDX-License-Identifier: Apache-2.0
#include "wire/http1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

/* Feeds a copy of the text in pieces; what feed() returned last. Bytes behind the head are left. */
static int feed(struct http1_request *r, const char *text, size_t len, size_t step, size_t *left,
                struct error *err)
{
    AUTO_FREE uint8_t *copy = xmemdup(text, len);
    struct input in = {copy, 0};
    int rc = 0;

    while (rc == 0 && in.data < copy + len) {
        size_t rest = (size_t)(copy + len - in.data);

        in.len = rest < step ? rest : step;
        rc = http1_request_feed(r, &in, err);
    }
    *left = (size_t)(copy + len - in.data);
    return rc;
}

static int parse(struct http1_request *r, const char *text, struct error *err)
{
    size_t left;

    http1_request_init(r);
    return feed(r, text, strlen(text), SIZE_MAX / 2, &left, err);
}

static void test_a_request_of_crictl_comes_in_any_pieces(void **state)
{
    static const char text[] = "POST /exec/6F6vxK9P?x=1&y HTTP/1.1\r\n"
                               "Host: 127.0.0.1:41234\r\n"
                               "User-Agent: Go-http-client/1.1\r\n"
                               "Content-Length: 0\r\n"
                               "connection: keep-alive,  upgrade \r\n"
                               "Upgrade:\tSPDY/3.1\r\n"
                               "X-Stream-Protocol-Version: v4.channel.k8s.io\r\n"
                               "X-Stream-Protocol-Version: v3.channel.k8s.io\r\n"
                               "X-Empty:\r\n"
                               "\r\n\x80\x03rest";
    (void)state;

    for (size_t step = 1; step <= sizeof text; step++) {
        struct http1_request r;
        struct error err;
        size_t at = 0, left;

        http1_request_init(&r);
        assert_int_equal(feed(&r, text, sizeof text - 1, step, &left, &err), 1);
        assert_int_equal(left, 6);
        assert_int_equal(r.method, HTTP1_POST);
        assert_string_equal(r.path, "/exec/6F6vxK9P");
        assert_string_equal(r.query, "x=1&y");
        assert_true(r.keep_alive);
        assert_int_equal(r.n_fields, 8);
        assert_string_equal(http1_request_find(&r, "HOST"), "127.0.0.1:41234");
        assert_string_equal(http1_request_find(&r, "x-empty"), "");
        assert_null(http1_request_find(&r, "absent"));
        assert_true(http1_request_lists(&r, "Connection", "Upgrade"));
        assert_false(http1_request_lists(&r, "Connection", "Upgrad"));
        assert_false(http1_request_lists(&r, "Connection", "close"));
        assert_true(http1_request_lists(&r, "Upgrade", "spdy/3.1"));
        assert_string_equal(http1_request_next(&r, "X-Stream-Protocol-Version", &at),
                            "v4.channel.k8s.io");
        assert_string_equal(http1_request_next(&r, "X-Stream-Protocol-Version", &at),
                            "v3.channel.k8s.io");
        assert_null(http1_request_next(&r, "X-Stream-Protocol-Version", &at));
        http1_request_fini(&r);
    }
}

static void test_bad_requests_are_refused_with_a_status(void **state)
{
#define LINE "GET / HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
    static const struct {
        const char *text;
        int status;
    } bad[] = {
        {"\x16\x03\x01", 400}, /* a TLS hello */
        {"\r\n", 400},
        {"get / HTTP/1.1\r\n", 400},
        {"GET\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET / \r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", 505},
        {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
        {"GET / FTP/1.1\r\n" HOST "\r\n", 400},
        {"G,T / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"PUT / HTTP/1.1\r\n" HOST "\r\n", 405},
        {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 405},
        {"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET a HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET http://h HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400},
        {LINE "\r\n", 400},
        {LINE HOST HOST "\r\n", 400},
        {LINE HOST "no colon\r\n\r\n", 400},
        {LINE HOST ": no name\r\n\r\n", 400},
        {LINE HOST "blank : x\r\n\r\n", 400},
        {LINE HOST " folded: x\r\n\r\n", 400},
        {LINE HOST "a: \x01\r\n\r\n", 400},
        {LINE HOST "a: b\nc: d\r\n\r\n", 400},
        {LINE HOST "a: b\rc: d\r\n\r\n", 400},
        {LINE HOST "Content-Length: 1\r\n\r\n", 413},
        {LINE HOST "Content-Length: 0\r\nContent-Length: 1\r\n\r\n", 413},
        {LINE HOST "Content-Length: -1\r\n\r\n", 400},
        {LINE HOST "Content-Length:\r\n\r\n", 400},
        {LINE HOST "Content-Length: 0x0\r\n\r\n", 400},
        {LINE HOST "Transfer-Encoding: chunked\r\n\r\n", 501},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct http1_request r;
        struct error err;

        if (parse(&r, bad[i].text, &err) != -1 || r.refusal != bad[i].status)
            fail_msg("%s gives %d", bad[i].text, r.refusal);
        assert_true(strlen(err.text) > 10);
        http1_request_fini(&r);
    }
}

static void test_nul_bytes_are_refused(void **state)
{
    static const char text[] = LINE "Host: h\0idden\r\n\r\n";
    struct http1_request r;
    struct error err;
    size_t left;
    (void)state;

    http1_request_init(&r);
    assert_int_equal(feed(&r, text, sizeof text - 1, 1000, &left, &err), -1);
    assert_int_equal(r.refusal, 400);
    http1_request_fini(&r);
}

static void test_other_forms_are_taken(void **state)
{
    static const struct {
        const char *text, *path, *query;
        bool keep_alive;
    } good[] = {
        {LINE HOST "\r\n", "/", "", true},
        {"GET / HTTP/1.0\r\n\r\n", "/", "", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/", "", true},
        {"HEAD /metrics? HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n", "/metrics", "", false},
        {"GET http://h:1/a?b?c HTTP/1.1\r\n" HOST "\r\n", "/a", "b?c", true},
        {"GET HTTPS://h/a%20b HTTP/1.1\r\n" HOST "Content-Length: 00\r\n\r\n", "/a%20b", "", true},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct http1_request r;
        struct error err;

        assert_int_equal(parse(&r, good[i].text, &err), 1);
        assert_string_equal(r.path, good[i].path);
        assert_string_equal(r.query, good[i].query);
        assert_int_equal(r.keep_alive, good[i].keep_alive);
        http1_request_fini(&r);
    }
}

static void test_long_heads_and_many_fields_are_refused(void **state)
{
    AUTO_FINI(buf) text = BUF(1 << 20);
    struct http1_request r;
    struct error err;
    (void)state;

    assert_int_equal(buf_printf(&text, &err, LINE HOST), 0);
    for (int i = 1; i < HTTP1_FIELDS_MAX; i++)
        assert_int_equal(buf_printf(&text, &err, "f%d: x\r\n", i), 0);
    assert_int_equal(buf_printf(&text, &err, "\r\n"), 0);
    assert_int_equal(parse(&r, text.data, &err), 1);
    http1_request_fini(&r);

    text.len -= 2;
    assert_int_equal(buf_printf(&text, &err, "last: x\r\n\r\n"), 0);
    assert_int_equal(parse(&r, text.data, &err), -1);
    assert_int_equal(r.refusal, 431);
    http1_request_fini(&r);

    buf_consume(&text, text.len);
    assert_int_equal(buf_printf(&text, &err, LINE HOST "a: %*s\r\n\r\n", HTTP1_HEAD_MAX - 32, "x"),
                     0);
    assert_int_equal(text.len, HTTP1_HEAD_MAX);
    assert_int_equal(parse(&r, text.data, &err), 1);
    assert_string_equal(http1_request_find(&r, "a"), "x");
    http1_request_fini(&r);

    text.data[text.len - 4] = 'x';
    assert_int_equal(parse(&r, text.data, &err), -1);
    assert_int_equal(r.refusal, 431);
    http1_request_fini(&r);
}

static void test_a_list_is_cut_into_its_elements(void **state)
{
    const char *at = " ,a, b c\t,,d ,";
    size_t len;
    (void)state;

    len = http1_list_next(&at);
    assert_memory_equal(at, "a,", 2);
    assert_int_equal(len, 1);
    at += len;
    len = http1_list_next(&at);
    assert_memory_equal(at, "b c\t", 4);
    assert_int_equal(len, 3);
    at += len;
    len = http1_list_next(&at);
    assert_memory_equal(at, "d ,", 3);
    assert_int_equal(len, 1);
    at += len;
    assert_int_equal(http1_list_next(&at), 0);
}

static void test_responses_are_written(void **state)
{
    static const struct http1_field fields[] = {{"Retry-After", "60"}, {"A", ""}};
    AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
    struct error err;
    (void)state;

    assert_int_equal(http1_write_head(&out, 200, fields, 2, &err), 0);
    assert_string_equal(out.data, "HTTP/1.1 200 OK\r\nRetry-After: 60\r\nA: \r\n\r\n");
    buf_consume(&out, out.len);
    assert_int_equal(http1_write_text(&out, 404, "no such token", fields, 1, &err), 0);
    assert_string_equal(out.data, "HTTP/1.1 404 Not Found\r\nRetry-After: 60\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "X-Content-Type-Options: nosniff\r\nConnection: close\r\n"
                                  "Content-Length: 14\r\n\r\nno such token\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_of_crictl_comes_in_any_pieces),
        cmocka_unit_test(test_bad_requests_are_refused_with_a_status),
        cmocka_unit_test(test_nul_bytes_are_refused),
        cmocka_unit_test(test_other_forms_are_taken),
        cmocka_unit_test(test_long_heads_and_many_fields_are_refused),
        cmocka_unit_test(test_a_list_is_cut_into_its_elements),
        cmocka_unit_test(test_responses_are_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
