// SPDX-License-Identifier: Apache-2.0
#include "wire/upgrade.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static const char *const spdy[] = {"v4.x", "x", NULL};
static const char *const websocket[] = {"v5.x", "base64.x", NULL};
static const struct upgrade_protocols protocols = {spdy, websocket};

/* Answers a request with those fields; what upgrade_answer() returned. */
static int answer(const char *method, const char *fields, struct buf *out, struct upgrade *upgrade)
{
    AUTO_FREE char *text = xasprintf("%s /t HTTP/1.1\r\nHost: h\r\n%s\r\n", method, fields);
    struct input in = {(uint8_t *)text, strlen(text)};
    struct http1_request request;
    struct error err;
    int rc;

    http1_request_init(&request);
    assert_int_equal(http1_request_feed(&request, &in, &err), 1);
    buf_consume(out, out->len);
    rc = upgrade_answer(&request, &protocols, out, upgrade, &err);
    http1_request_fini(&request);
    return rc;
}

static void test_spdy_takes_the_first_protocol_of_the_client_that_we_speak(void **state)
{
    static const struct {
        const char *fields, *protocol;
    } good[] = {
        {"X-Stream-Protocol-Version: v4.x\r\n", "v4.x"},
        {"X-Stream-Protocol-Version: v9.x\r\nx-stream-protocol-version: x, v4.x\r\n", "x"},
        {"X-Stream-Protocol-Version: v4,,v4.x,x\r\n", "v4.x"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        AUTO_FREE char *fields =
            xasprintf("Connection: Upgrade\r\nUpgrade: spdy/3.1\r\n%s", good[i].fields);
        AUTO_FREE char *expected =
            xasprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n"
                      "X-Stream-Protocol-Version: %s\r\nConnection: Upgrade\r\n\r\n",
                      good[i].protocol);
        AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
        struct upgrade upgrade;

        assert_int_equal(answer("POST", fields, &out, &upgrade), 0);
        assert_int_equal(upgrade.transport, UPGRADE_SPDY);
        assert_string_equal(upgrade.protocol, good[i].protocol);
        assert_string_equal(out.data, expected);
    }
}

#define KEY     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"

static void test_websocket_is_accepted_as_the_rfc_shows(void **state)
{
    AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
    struct upgrade upgrade;
    (void)state;

    assert_int_equal(answer("GET", UPGRADE KEY VERSION, &out, &upgrade), 0);
    assert_int_equal(upgrade.transport, UPGRADE_WEBSOCKET);
    assert_string_equal(upgrade.protocol, "");
    assert_string_equal(out.data, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    assert_int_equal(answer("GET",
                            UPGRADE KEY VERSION "Sec-WebSocket-Protocol: v6.x, base64.x, v5.x\r\n"
                                                "Sec-WebSocket-Extensions: permessage-deflate\r\n",
                            &out, &upgrade),
                     0);
    assert_string_equal(upgrade.protocol, "base64.x");
    assert_non_null(strstr(out.data, "\r\nSec-WebSocket-Protocol: base64.x\r\n"));
    assert_null(strstr(out.data, "Extensions"));
}

static void test_what_cannot_be_upgraded_is_told_why(void **state)
{
    static const struct {
        const char *method, *fields, *words;
        int status;
    } bad[] = {
        {"GET", "", "missing upgrade headers in request", 400},
        {"GET", "Connection: Upgrade\r\nUpgrade: h2c\r\n", "missing upgrade headers", 400},
        {"POST", "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: x\r\n", "missing upgrade", 400},
        {"POST", "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n",
         "X-Stream-Protocol-Version is required", 400},
        {"POST", "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: , \r\n",
         "X-Stream-Protocol-Version is required", 400},
        {"POST", "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v9\r\n",
         "X-Accepted-Stream-Protocol-Versions: v4.x\r\nX-Accepted-Stream-Protocol-Versions: x\r\n",
         403},
        {"POST", UPGRADE KEY VERSION, "Allow: GET\r\n", 405},
        {"GET", UPGRADE KEY, "Sec-WebSocket-Version: 13\r\n", 426},
        {"GET", UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version: 13\r\n", 426},
        {"GET", UPGRADE VERSION, "Sec-WebSocket-Key", 400},
        {"GET", UPGRADE VERSION "Sec-WebSocket-Key: short\r\n", "Sec-WebSocket-Key", 400},
        {"GET", UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQAA\r\n",
         "Sec-WebSocket-Key", 400},
        {"GET", UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\n",
         "Sec-WebSocket-Key", 400},
        {"GET", UPGRADE KEY VERSION "Sec-WebSocket-Protocol: v4.x\r\n", "none of the protocols",
         403},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_FREE char *line = xasprintf("HTTP/1.1 %d ", bad[i].status);
        AUTO_FINI(buf) out = BUF(HTTP1_RESPONSE_MAX);
        struct upgrade upgrade;

        assert_int_equal(answer(bad[i].method, bad[i].fields, &out, &upgrade), -1);
        if (strncmp(out.data, line, strlen(line)) != 0 || !strstr(out.data, bad[i].words))
            fail_msg("%s: %s", bad[i].fields, out.data);
        assert_non_null(strstr(out.data, "Connection: close\r\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spdy_takes_the_first_protocol_of_the_client_that_we_speak),
        cmocka_unit_test(test_websocket_is_accepted_as_the_rfc_shows),
        cmocka_unit_test(test_what_cannot_be_upgraded_is_told_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
