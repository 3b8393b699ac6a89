// SPDX-License-Identifier: Apache-2.0
#include "wire/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "wire/websocket_client_test.h"

/* First bytes of frames: with FIN, and without. */
enum { MORE_TEXT = 1, MORE_BINARY = 2, TEXT = 0x81, BINARY = 0x82, MORE = 0, LAST = 0x80 };
enum { CLOSE = 0x88, PING = 0x89, PONG = 0x8a };

/* Feeds all bytes in pieces of that size; logs messages as "[" or "{" for text, bytes, "]". */
static int feed(struct websocket *w, const void *data, size_t len, size_t step, struct buf *log,
                struct error *err)
{
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        AUTO_FREE uint8_t *copy = xmemdup((const uint8_t *)data + at, n);
        struct input in = {copy, n};
        struct websocket_event event;

        do {
            if (websocket_next(w, &in, &event, err) < 0)
                return -1;
            if (event.type == WEBSOCKET_CLOSED)
                assert_int_equal(buf_printf(log, err, "closed %u", event.code), 0);
            if (event.type == WEBSOCKET_DATA)
                assert_int_equal(buf_printf(log, err, "%s%.*s%s",
                                            !event.begins                    ? ""
                                            : event.opcode == WEBSOCKET_TEXT ? "{"
                                                                             : "[",
                                            (int)event.len, (const char *)event.data,
                                            event.ends ? "]" : ""),
                                 0);
        } while (event.type != WEBSOCKET_MORE);
        assert_int_equal(in.len, 0);
    }
    return 0;
}

static void expect_sent(struct websocket *w, const void *bytes, size_t len)
{
    const uint8_t *out;

    assert_int_equal(websocket_transmit(w, &out), len);
    if (len)
        assert_memory_equal(out, bytes, len);
    websocket_transmitted(w, len);
}

static void test_messages_come_in_any_fragments_and_pieces(void **state)
{
    AUTO_FINI(buf) bytes = BUF(4096);
    (void)state;

    add_text_frame(&bytes, BINARY, "one");
    add_text_frame(&bytes, MORE_TEXT, "tw");
    add_text_frame(&bytes, PING, "are you there?");
    add_text_frame(&bytes, MORE, "");
    add_text_frame(&bytes, PONG, "never asked");
    add_text_frame(&bytes, MORE, "o");
    add_text_frame(&bytes, LAST, "!");
    add_text_frame(&bytes, BINARY, "");
    add_text_frame(&bytes, MORE_BINARY, "");
    add_text_frame(&bytes, LAST, "");
    for (size_t step = 1; step <= bytes.len; step++) {
        AUTO(websocket) *w = websocket_new();
        AUTO_FINI(buf) log = BUF(4096);
        struct error err;

        assert_int_equal(feed(w, bytes.data, bytes.len, step, &log, &err), 0);
        assert_string_equal(log.data, "[one]{two!][][]");
        expect_sent(w,
                    "\x8a\x0e"
                    "are you there?",
                    16);
    }
}

static void test_lengths_of_every_form_are_understood(void **state)
{
    static const size_t lengths[] = {125, 126, 127, 65535, 65536, 300000};
    AUTO_FREE char *data = xmalloc(300000);
    (void)state;

    for (size_t i = 0; i < 300000; i++)
        data[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        AUTO(websocket) *w = websocket_new();
        AUTO_FINI(buf) bytes = BUF(1 << 20), log = BUF(1 << 20);
        struct error err;

        add_frame(&bytes, BINARY, data, lengths[i]);
        assert_int_equal(feed(w, bytes.data, bytes.len, 1001, &log, &err), 0);
        assert_int_equal(log.len, lengths[i] + 2);
        assert_memory_equal(log.data + 1, data, lengths[i]);
    }
}

static void test_broken_frames_close_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        unsigned code;
    } bad[] = {
        {"\x82\x01x", 3, 1002},    /* not masked */
        {"\xc2\x80mask", 6, 1002}, /* a reserved bit */
        {"\x83\x80mask", 6, 1002}, /* unknown opcodes */
        {"\x8b\x80mask", 6, 1002},
        {"\x80\x80mask", 6, 1002},              /* a continuation of nothing */
        {"\x02\x80mask\x82\x80mask", 12, 1002}, /* a message in a message */
        {"\x09\x80mask", 6, 1002},              /* a fragmented ping */
        {"\x89\xfe\0\x7emask", 8, 1002},        /* a long ping */
        {"\x88\x81\0\0\0\0x", 7, 1002},         /* half a close code */
        {"\x88\x82\0\0\0\0\3\xed", 8, 1002},    /* 1005 is not sent */
        {"\x88\x82\0\0\0\0\0\0", 8, 1002},
        {"\x82\xff\x80\0\0\0\0\0\0\0mask", 14, 1009},
        {"\x82\xff\0\0\0\0\x40\0\0\1mask", 14, 1009},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO(websocket) *w = websocket_new();
        AUTO_FREE uint8_t *copy = xmemdup(bad[i].bytes, bad[i].len);
        AUTO_FINI(buf) log = BUF(100);
        struct error err;
        const uint8_t *out;

        if (feed(w, copy, bad[i].len, SIZE_MAX / 2, &log, &err) != -1)
            fail_msg("frame %zu is taken", i);
        if (websocket_transmit(w, &out) < 4)
            fail_msg("frame %zu is not answered", i);
        assert_int_equal(out[0], CLOSE);
        assert_int_equal(out[2] << 8 | out[3], bad[i].code);
        assert_false(websocket_is_done(w));
        websocket_transmitted(w, websocket_transmit(w, &out));
        assert_true(websocket_is_done(w));
        assert_int_equal(feed(w, "more", 4, 1, &log, &err), 0);
        assert_int_equal(log.len, 0);
    }
}

static void test_the_close_of_a_client_is_answered(void **state)
{
    static const struct {
        const char *payload, *log, *answer;
        size_t len;
    } closes[] = {
        {"", "closed 1005", "\x88\0", 2},
        {"\x03\xe8", "closed 1000", "\x88\2\x03\xe8", 4},
        {"\x03\xe9"
         "bye",
         "closed 1001", "\x88\2\x03\xe9", 4},
        {"\x0f\xa1", "closed 4001", "\x88\2\x0f\xa1", 4},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(closes); i++) {
        AUTO(websocket) *w = websocket_new();
        AUTO_FINI(buf) bytes = BUF(1000), log = BUF(1000);
        struct error err;

        add_text_frame(&bytes, CLOSE, closes[i].payload);
        add_text_frame(&bytes, BINARY, "too late");
        assert_int_equal(feed(w, bytes.data, bytes.len, 3, &log, &err), 0);
        assert_string_equal(log.data, closes[i].log);
        assert_int_equal(websocket_send(w, WEBSOCKET_TEXT, "lost", 4), 4);
        websocket_ping(w);
        expect_sent(w, closes[i].answer, closes[i].len);
        assert_true(websocket_is_done(w));
    }
}

static void test_our_close_is_the_last_that_is_said(void **state)
{
    static const char sent[] = "\x82\1x\x88\5\x03\xe8"
                               "end";
    AUTO(websocket) *w = websocket_new();
    AUTO_FINI(buf) bytes = BUF(1000), log = BUF(1000);
    struct error err;
    (void)state;

    assert_int_equal(websocket_send(w, WEBSOCKET_BINARY, "x", 1), 1);
    websocket_close(w, WEBSOCKET_NORMAL, "end");
    websocket_close(w, WEBSOCKET_INTERNAL, "not this");
    add_text_frame(&bytes, PING, "");
    add_text_frame(&bytes, TEXT, "on its way");
    assert_int_equal(feed(w, bytes.data, bytes.len, 3, &log, &err), 0);
    assert_string_equal(log.data, "{on its way]");
    expect_sent(w, sent, sizeof sent - 1);
    assert_false(websocket_is_done(w));
    buf_consume(&bytes, bytes.len);
    add_text_frame(&bytes, CLOSE, "\x03\xe8");
    assert_int_equal(feed(w, bytes.data, bytes.len, 3, &log, &err), 0);
    assert_true(websocket_is_done(w));
}

static void test_output_is_bounded(void **state)
{
    AUTO_FREE char *data = xcalloc(1, 1 << 20);
    AUTO(websocket) *w = websocket_new();
    const uint8_t *out;
    size_t sent, len;
    (void)state;

    sent = websocket_send(w, WEBSOCKET_BINARY, data, 1 << 20);
    assert_in_range(sent, WEBSOCKET_OUT_MAX - 5000, WEBSOCKET_OUT_MAX);
    assert_int_equal(websocket_room(w), 0);
    len = websocket_transmit(w, &out);
    assert_in_range(len, sent, WEBSOCKET_OUT_MAX);
    assert_memory_equal(out, "\x82\x7e\x80\0", 4);
    websocket_transmitted(w, len - 1);
    assert_true(websocket_room(w) > 0);
    assert_int_equal(websocket_transmit(w, &out), 1);
}

static void test_a_client_that_pings_and_does_not_read_is_given_up(void **state)
{
    AUTO(websocket) *w = websocket_new();
    AUTO_FINI(buf) bytes = BUF(1 << 20), log = BUF(100);
    struct error err;
    int rounds = 0;
    (void)state;

    for (int i = 0; i < 1000; i++)
        add_text_frame(&bytes, PING, "0123456789012345678901234567890123456789");
    while (rounds < 10 && feed(w, bytes.data, bytes.len, 4096, &log, &err) == 0)
        rounds++;
    assert_in_range(rounds, 1, 9);
    assert_int_equal(err.code, ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_come_in_any_fragments_and_pieces),
        cmocka_unit_test(test_lengths_of_every_form_are_understood),
        cmocka_unit_test(test_broken_frames_close_the_connection),
        cmocka_unit_test(test_the_close_of_a_client_is_answered),
        cmocka_unit_test(test_our_close_is_the_last_that_is_said),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_a_client_that_pings_and_does_not_read_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
