// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy_window.h"

#include "wire/spdy.h"
#include "wire/spdy_client_test.h"

enum { SETTINGS = 4, WINDOW_UPDATE = 9 };

/* Takes what the client has written, in pieces of that size; the owner says of all data at once
 * that it is taken. */
static int feed(struct spdy *s, struct client *c, size_t step, struct error *err)
{
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < c->bytes.len; at += step) {
        size_t n = c->bytes.len - at < step ? c->bytes.len - at : step;
        AUTO_FREE uint8_t *copy = xmemdup(c->bytes.data + at, n);
        struct input in = {copy, n};
        struct spdy_event event;

        do {
            rc = spdy_next(s, &in, &event, err);
            if (rc == 0 && event.type == SPDY_OPENED)
                spdy_accept(s, event.stream);
            if (rc == 0 && event.type == SPDY_DATA)
                spdy_taken(s, event.stream, event.len);
        } while (rc == 0 && event.type != SPDY_MORE);
    }
    buf_consume(&c->bytes, c->bytes.len);
    return rc;
}

static void must_feed(struct spdy *s, struct client *c)
{
    struct error err;

    if (feed(s, c, SIZE_MAX / 2, &err) < 0)
        fail_msg("%s", err.text);
}

static void drop_output(struct spdy *s)
{
    const uint8_t *out;

    spdy_transmitted(s, spdy_transmit(s, &out));
}

static void add_pair(struct client *c, uint32_t type, uint32_t stream, uint32_t number)
{
    add_control(c, type, 0, 8);
    add_u32(c, stream);
    add_u32(c, number);
}

static void add_initial_window(struct client *c, uint32_t size)
{
    add_control(c, SETTINGS, 0, 4 + 16);
    add_u32(c, 2);
    add_u32(c, 4); /* the round trip time */
    add_u32(c, 100);
    add_u32(c, 7);
    add_u32(c, size);
}

/* Sends as if the socket took everything at once; returns how much the windows let through. */
static size_t send_all(struct spdy *s, uint32_t stream, size_t len)
{
    AUTO_FREE char *data = xcalloc(1, len);
    size_t sent = 0, n;

    do {
        n = spdy_send(s, stream, data, len - sent);
        sent += n;
        drop_output(s);
    } while (n > 0 && sent < len);
    return sent;
}

static void test_a_client_that_knows_no_windows_gets_everything(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "stdout");
    must_feed(s, &c);
    assert_int_equal(send_all(s, 1, 1 << 20), 1 << 20);
    client_fini(&c);
}

static void test_windows_of_a_stream_and_of_the_session_hold_us(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    client_init(&c);
    add_initial_window(&c, 10000);
    add_open(&c, 1, 0, "stdout");
    add_open(&c, 3, 0, "stderr");
    must_feed(s, &c);
    assert_int_equal(send_all(s, 1, 1 << 20), 10000);
    assert_int_equal(spdy_room(s, 1), 0);
    add_pair(&c, WINDOW_UPDATE, 1, 5000);
    must_feed(s, &c);
    assert_int_equal(spdy_room(s, 1), 5000);
    assert_int_equal(send_all(s, 1, 1 << 20), 5000);
    /* The session's window is 64 KiB. */
    add_initial_window(&c, 1 << 20);
    must_feed(s, &c);
    assert_int_equal(send_all(s, 3, 1 << 20), SPDY_WINDOW_SIZE - 15000);
    add_pair(&c, WINDOW_UPDATE, 0, 100);
    must_feed(s, &c);
    assert_int_equal(send_all(s, 1, 1 << 20), 100);
    client_fini(&c);
}

static void test_a_window_can_become_smaller_than_what_was_sent(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "stdout");
    must_feed(s, &c);
    assert_int_equal(send_all(s, 1, 1000), 1000);
    add_initial_window(&c, 500);
    must_feed(s, &c);
    assert_int_equal(spdy_room(s, 1), 0);
    add_pair(&c, WINDOW_UPDATE, 1, 501);
    must_feed(s, &c);
    assert_int_equal(spdy_room(s, 1), 1);
    client_fini(&c);
}

static size_t count(const uint8_t *out, size_t len, const char *frame)
{
    size_t n = 0;

    for (size_t at = 0; at + 16 <= len; at++)
        n += memcmp(out + at, frame, 16) == 0;
    return n;
}

static void test_the_client_is_told_what_was_taken(void **state)
{
    AUTO_FREE char *text = xmalloc(SPDY_WINDOW_STEP + 1);
    AUTO(spdy) *s = spdy_new();
    const uint8_t *out;
    struct client c;
    size_t len;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "stdin");
    must_feed(s, &c);
    drop_output(s);
    memset(text, 'x', SPDY_WINDOW_STEP);
    text[SPDY_WINDOW_STEP] = '\0';
    add_data(&c, 1, 0, text + 1);
    must_feed(s, &c);
    assert_int_equal(spdy_transmit(s, &out), 0); /* one byte less than is worth a frame */
    add_data(&c, 1, 0, "y");
    must_feed(s, &c);
    len = spdy_transmit(s, &out);
    assert_int_equal(len, 32);
    assert_int_equal(count(out, len, "\x80\3\0\x9\0\0\0\x8\0\0\0\1\0\0\x80\0"), 1);
    assert_int_equal(count(out, len, "\x80\3\0\x9\0\0\0\x8\0\0\0\0\0\0\x80\0"), 1);
    drop_output(s);
    /* What is for nobody counts for the session only. */
    spdy_reset(s, 1, SPDY_CANCEL);
    drop_output(s);
    add_data(&c, 1, 0, text);
    must_feed(s, &c);
    len = spdy_transmit(s, &out);
    assert_int_equal(len, 16);
    assert_int_equal(count(out, len, "\x80\3\0\x9\0\0\0\x8\0\0\0\0\0\0\x80\0"), 1);
    client_fini(&c);
}

static void test_settings_are_read_in_any_pieces_and_of_any_length(void **state)
{
    for (size_t step = 1; step < 40; step++) {
        AUTO(spdy) *s = spdy_new();
        struct error err;
        struct client c;

        client_init(&c);
        add_open(&c, 1, 0, "stdout");
        add_initial_window(&c, 77);
        add_control(&c, SETTINGS, 0, 4 + 3);
        add_u32(&c, 9);
        add(&c, "abc", 3);
        add_control(&c, SETTINGS, 0, 4);
        add_u32(&c, 0);
        add_data(&c, 1, 1, "");
        assert_int_equal(feed(s, &c, step, &err), 0);
        assert_int_equal(spdy_room(s, 1), 77);
        spdy_finish(s, 1); /* the client has: it is gone */
        assert_false(spdy_has(s, 1));
        client_fini(&c);
    }
    (void)state;
}

static void test_windows_that_cannot_be_end_the_session(void **state)
{
    for (uint32_t stream = 0; stream < 2; stream++) {
        AUTO(spdy) *s = spdy_new();
        struct error err;
        struct client c;

        client_init(&c);
        add_open(&c, 1, 0, "stdout");
        add_pair(&c, WINDOW_UPDATE, stream, 0x7fffffff);
        assert_int_equal(feed(s, &c, SIZE_MAX / 2, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        client_fini(&c);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_that_knows_no_windows_gets_everything),
        cmocka_unit_test(test_windows_of_a_stream_and_of_the_session_hold_us),
        cmocka_unit_test(test_a_window_can_become_smaller_than_what_was_sent),
        cmocka_unit_test(test_the_client_is_told_what_was_taken),
        cmocka_unit_test(test_settings_are_read_in_any_pieces_and_of_any_length),
        cmocka_unit_test(test_windows_that_cannot_be_end_the_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
