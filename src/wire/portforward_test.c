// SPDX-License-Identifier: Apache-2.0
#include "wire/portforward.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static int parse(const char *type, const char *port, const char *id, struct portforward_stream *out,
                 struct error *err)
{
    struct spdy_header headers[3];
    struct spdy_event event = {.type = SPDY_OPENED, .stream = 7, .headers = headers};

    if (type)
        headers[event.n_headers++] = (struct spdy_header){"streamtype", type, strlen(type)};
    if (port)
        headers[event.n_headers++] = (struct spdy_header){"port", port, strlen(port)};
    if (id)
        headers[event.n_headers++] = (struct spdy_header){"requestid", id, strlen(id)};
    return portforward_stream_parse(&event, out, err);
}

static void test_streams_tell_their_port_and_pair(void **state)
{
    static const struct {
        const char *type, *port, *id, *expected;
        bool is_error;
    } good[] = {
        {"data", "80", "0", "0", false},
        {"error", "80", "x y", "x y", true},
        {"error", "80", NULL, "7", true}, /* the error stream first, then number 9 */
        {"data", "80", "", "5", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct portforward_stream out;
        struct error err;

        assert_int_equal(parse(good[i].type, good[i].port, good[i].id, &out, &err), 0);
        assert_int_equal(out.port, 80);
        assert_int_equal(out.is_error, good[i].is_error);
        assert_string_equal(out.request_id, good[i].expected);
    }
}

static void test_other_streams_are_refused(void **state)
{
    char long_id[PORTFORWARD_ID_MAX + 2] = "";
    struct portforward_stream out;
    struct error err;
    (void)state;

    memset(long_id, '1', sizeof long_id - 1);
    assert_int_equal(parse("data", "80", long_id + 1, &out, &err), 0);
    assert_int_equal(parse("data", "80", long_id, &out, &err), -1);
    assert_int_equal(parse(NULL, "80", "0", &out, &err), -1);
    assert_int_equal(parse("stdin", "80", "0", &out, &err), -1);
    assert_int_equal(parse("data", NULL, "0", &out, &err), -1);
    assert_int_equal(parse("data", "http", "0", &out, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
}

static void test_ports_are_plain_numbers(void **state)
{
    static const char *const bad[] = {"",   "0",  "65536", "000080", "-1",
                                      "+1", " 1", "1 ",    "0x1",    "99999999999999999999"};
    struct error err;
    uint16_t port;
    (void)state;

    assert_int_equal(portforward_port_parse("1", &port, &err), 0);
    assert_int_equal(port, 1);
    assert_int_equal(portforward_port_parse("65535", &port, &err), 0);
    assert_int_equal(port, 65535);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(portforward_port_parse(bad[i], &port, &err), -1);
}

static void test_the_tunnel_is_known(void **state)
{
    (void)state;

    assert_true(portforward_is_tunnel("SPDY/3.1+portforward.k8s.io"));
    assert_false(portforward_is_tunnel("v4.channel.k8s.io"));
    assert_false(portforward_is_tunnel(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_tell_their_port_and_pair),
        cmocka_unit_test(test_other_streams_are_refused),
        cmocka_unit_test(test_ports_are_plain_numbers),
        cmocka_unit_test(test_the_tunnel_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
