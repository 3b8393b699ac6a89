// SPDX-License-Identifier: Apache-2.0
#include "wire/channels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/websocket_client_test.h"

enum { TEXT = 0x81, BINARY = 0x82, MORE_BINARY = 2, MORE_TEXT = 1, MORE = 0, LAST = 0x80 };

struct log {
    struct buf bytes[8]; /* of each channel */
    unsigned ended;      /* a bit for each */
    unsigned code;       /* of the end of the connection */
};

static int feed(struct channels *c, const void *data, size_t len, size_t step, struct log *log,
                struct error *err)
{
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        AUTO_FREE uint8_t *copy = xmemdup((const uint8_t *)data + at, n);
        struct input in = {copy, n};
        struct channels_event event;

        do {
            if (channels_next(c, &in, &event, err) < 0)
                return -1;
            if (event.type == CHANNELS_CLOSED)
                log->code = event.code;
            if (event.type == CHANNELS_ENDED)
                log->ended |= 1u << event.channel;
            if (event.type == CHANNELS_DATA) {
                assert_true(event.len > 0);
                assert_int_equal(
                    buf_append(&log->bytes[event.channel & 7], event.data, event.len, err), 0);
            }
        } while (event.type != CHANNELS_MORE);
        assert_int_equal(in.len, 0);
    }
    return 0;
}

static void log_init(struct log *log)
{
    *log = (struct log){0};
    for (size_t i = 0; i < COUNT_OF(log->bytes); i++)
        buf_init(&log->bytes[i], 4 << 20);
}

static void log_fini(struct log *log)
{
    for (size_t i = 0; i < COUNT_OF(log->bytes); i++)
        buf_fini(&log->bytes[i]);
}

static void test_messages_go_to_their_channels(void **state)
{
    AUTO_FINI(buf) bytes = BUF(4096);
    (void)state;

    add_frame(&bytes, BINARY, "\0hello ", 7);
    add_frame(&bytes, BINARY, "\4{}", 3);
    add_frame(&bytes, BINARY, "", 0);
    add_frame(&bytes, MORE_BINARY, "\0wor", 4);
    add_frame(&bytes, LAST, "ld", 2);
    add_frame(&bytes, MORE_BINARY, "", 0);
    add_frame(&bytes, MORE, "\0", 1);
    add_frame(&bytes, LAST, "!", 1);
    add_frame(&bytes, TEXT, "\4 too", 5);
    add_frame(&bytes, 0x88, "\x03\xe8", 2);
    for (size_t step = 1; step <= bytes.len; step++) {
        AUTO(channels) *c = channels_new("v4.channel.k8s.io");
        struct error err;
        struct log log;

        log_init(&log);
        assert_int_equal(feed(c, bytes.data, bytes.len, step, &log, &err), 0);
        assert_string_equal(log.bytes[0].data, "hello world!");
        assert_string_equal(log.bytes[4].data, "{} too");
        assert_int_equal(log.code, WEBSOCKET_NORMAL);
        log_fini(&log);
    }
}

static void test_v5_closes_channels_and_v4_does_not(void **state)
{
    static const struct {
        const char *protocol;
        unsigned ended;
    } versions[] = {{"v5.channel.k8s.io", 1}, {"v4.channel.k8s.io", 0}, {"", 0}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        AUTO(channels) *c = channels_new(versions[i].protocol);
        AUTO_FINI(buf) bytes = BUF(4096);
        struct error err;
        struct log log;

        log_init(&log);
        add_frame(&bytes, BINARY, "\0x", 2);
        add_frame(&bytes, MORE_BINARY, "\xff", 1);
        add_frame(&bytes, LAST, "\0rest", 5);
        add_frame(&bytes, BINARY, "\xff", 1);
        add_frame(&bytes, BINARY, "\1y", 2);
        assert_int_equal(feed(c, bytes.data, bytes.len, 2, &log, &err), 0);
        assert_int_equal(log.ended, versions[i].ended);
        assert_string_equal(log.bytes[0].data, "x");
        assert_string_equal(log.bytes[1].data, "y");
        log_fini(&log);
    }
}

static void test_base64_is_decoded_in_any_pieces(void **state)
{
    AUTO_FINI(buf) bytes = BUF(4096);
    (void)state;

    add_text_frame(&bytes, TEXT, "0aGVsbG8g");
    add_text_frame(&bytes, MORE_TEXT, "0d29");
    add_text_frame(&bytes, MORE, "y");
    add_text_frame(&bytes, LAST, "bGQ=");
    add_text_frame(&bytes, TEXT, "0");
    add_text_frame(&bytes, TEXT, "4Lg==");
    for (size_t step = 1; step <= bytes.len; step++) {
        AUTO(channels) *c = channels_new("v4.base64.channel.k8s.io");
        struct error err;
        struct log log;

        log_init(&log);
        assert_int_equal(feed(c, bytes.data, bytes.len, step, &log, &err), 0);
        assert_string_equal(log.bytes[0].data, "hello world");
        assert_string_equal(log.bytes[4].data, ".");
        log_fini(&log);
    }
}

static void test_what_is_no_base64_closes_the_connection(void **state)
{
    static const char *const bad[] = {"0abc", "0ab!d", "0ab==cd"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO(channels) *c = channels_new("base64.channel.k8s.io");
        AUTO_FINI(buf) bytes = BUF(4096);
        const uint8_t *out;
        struct error err;
        struct log log;

        log_init(&log);
        add_text_frame(&bytes, TEXT, bad[i]);
        assert_int_equal(feed(c, bytes.data, bytes.len, 100, &log, &err), -1);
        assert_true(websocket_transmit(channels_websocket(c), &out) > 4);
        assert_int_equal(out[2] << 8 | out[3], WEBSOCKET_BAD_DATA);
        log_fini(&log);
    }
}

/* What is sent as one protocol arrives there as it was: the frames of the server, masked, are
 * those of a client. */
static void expect_round_trip(const char *protocol)
{
    AUTO(channels) *to = channels_new(protocol), *from = channels_new(protocol);
    AUTO_FREE uint8_t *data = xmalloc(500000);
    size_t sent = 0, rounds = 0;
    struct error err;
    struct log log;

    log_init(&log);
    for (size_t i = 0; i < 500000; i++)
        data[i] = (uint8_t)(i * 31 + (i >> 8));
    while (sent < 500000) {
        AUTO_FINI(buf) bytes = BUF(1 << 20);
        const uint8_t *out;
        size_t len, n = channels_send(to, 2, data + sent, 500000 - sent);

        assert_true(n > 0);
        sent += n;
        rounds++;
        assert_true(sent == 500000 || channels_room(to) == 0);
        len = websocket_transmit(channels_websocket(to), &out);
        assert_true(len <= WEBSOCKET_OUT_MAX);
        for (size_t at = 0; at < len;) {
            size_t size = out[at + 1] == 126 ? (size_t)out[at + 2] << 8 | out[at + 3] : out[at + 1];
            size_t head = out[at + 1] == 126 ? 4 : 2;

            assert_true(size <= WEBSOCKET_MESSAGE_MAX);
            add_frame(&bytes, out[at], out + at + head, size);
            at += head + size;
        }
        websocket_transmitted(channels_websocket(to), len);
        assert_int_equal(feed(from, bytes.data, bytes.len, 65536, &log, &err), 0);
    }
    assert_true(rounds > 3);
    assert_int_equal(log.bytes[2].len, 500000);
    assert_memory_equal(log.bytes[2].data, data, 500000);
    log_fini(&log);
}

static void test_what_is_sent_arrives(void **state)
{
    (void)state;

    expect_round_trip("v5.channel.k8s.io");
    expect_round_trip("v4.base64.channel.k8s.io");
}

/* However much waits already. */
static void test_the_room_there_is_is_taken_whole(void **state)
{
    static const char *const protocols[] = {"v5.channel.k8s.io", "v4.base64.channel.k8s.io"};
    AUTO_FREE char *data = xcalloc(1, WEBSOCKET_OUT_MAX);
    (void)state;

    for (size_t i = 0; i < COUNT_OF(protocols); i++)
        for (size_t waiting = 1; waiting < WEBSOCKET_OUT_MAX; waiting += 1021) {
            AUTO(channels) *c = channels_new(protocols[i]);
            size_t room, filled = channels_send(c, 1, data, waiting);

            room = channels_room(c);
            assert_true(room > 0 || filled > WEBSOCKET_OUT_MAX / 2);
            assert_int_equal(channels_send(c, 1, data, room), room);
        }
}

static void test_an_empty_message_is_a_sign_of_life(void **state)
{
    AUTO(channels) *binary = channels_new(""), *text = channels_new("base64.channel.k8s.io");
    const uint8_t *out;
    (void)state;

    assert_int_equal(channels_send(binary, 1, NULL, 0), 0);
    assert_int_equal(websocket_transmit(channels_websocket(binary), &out), 3);
    assert_memory_equal(out, "\x82\1\1", 3);
    assert_int_equal(channels_send(text, 1, "a", 1), 1);
    assert_int_equal(websocket_transmit(channels_websocket(text), &out), 7);
    assert_memory_equal(out,
                        "\x81\5"
                        "1YQ==",
                        7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_go_to_their_channels),
        cmocka_unit_test(test_v5_closes_channels_and_v4_does_not),
        cmocka_unit_test(test_base64_is_decoded_in_any_pieces),
        cmocka_unit_test(test_what_is_no_base64_closes_the_connection),
        cmocka_unit_test(test_what_is_sent_arrives),
        cmocka_unit_test(test_the_room_there_is_is_taken_whole),
        cmocka_unit_test(test_an_empty_message_is_a_sign_of_life),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
