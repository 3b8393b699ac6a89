// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "wire/spdy_client_test.h"

/* What Go's spdystream sent: kubectl's streams of an exec, a ping, a terminal size, "hello\n" and
 * the end of stdin, goaway. */
// clang-format off
static const uint8_t go_exec[] = {
    0x80, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x29, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x78, 0xf9, 0xe3, 0xc6, 0xa7, 0xc2, 0x62, 0x60, 0x60, 0x60, 0x04, 0xa7, 0xb3, 0x92,
    0xa2, 0xd4, 0xc4, 0x5c, 0x68, 0x51, 0xc2, 0x9a, 0x0a, 0x0a, 0x68, 0x00, 0x00, 0x00, 0x00, 0xff,
    0xff, 0x80, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x17, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xc2, 0x2e, 0x55, 0x5c, 0x92, 0x92, 0x99, 0x07, 0x00, 0x00, 0x00, 0xff, 0xff,
    0x80, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x19, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0xc2, 0x2a, 0xc5, 0x56, 0x5c, 0x92, 0x92, 0x5f, 0x5a, 0x02, 0x00, 0x00, 0x00, 0xff,
    0xff, 0x80, 0x03, 0x00, 0x01, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0xc2, 0x29, 0x97, 0x5a, 0x54, 0x04, 0x00, 0x00, 0x00, 0xff, 0xff, 0x80, 0x03,
    0x00, 0x01, 0x00, 0x00, 0x00, 0x18, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xc2, 0x2e, 0x57, 0x94, 0x5a, 0x9c, 0x59, 0x95, 0x0a, 0x00, 0x00, 0x00, 0xff, 0xff, 0x80, 0x03,
    0x00, 0x06, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00,
    0x00, 0x19, 0x7b, 0x22, 0x57, 0x69, 0x64, 0x74, 0x68, 0x22, 0x3a, 0x38, 0x30, 0x2c, 0x22, 0x48,
    0x65, 0x69, 0x67, 0x68, 0x74, 0x22, 0x3a, 0x32, 0x34, 0x7d, 0x0a, 0x00, 0x00, 0x00, 0x03, 0x00,
    0x00, 0x00, 0x06, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x0a, 0x00, 0x00, 0x00, 0x03, 0x01, 0x00, 0x00,
    0x00, 0x80, 0x03, 0x00, 0x07, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00,
};
// clang-format on

static void tell(struct buf *log, const struct spdy_event *event)
{
    static const char *const names[] = {"more", "opened", "data", "ended", "reset", "goaway"};
    struct error err;
    const char *type = event->type == SPDY_OPENED ? spdy_event_find(event, "StreamType") : NULL;

    if (event->type == SPDY_MORE)
        return;
    assert_int_equal(buf_printf(log, &err, "%s %u%s%s%.*s\n", names[event->type], event->stream,
                                type || event->len ? " " : "", type ? type : "", (int)event->len,
                                event->data ? (const char *)event->data : ""),
                     0);
}

/* Feeds all bytes in pieces of that size and logs the events; -1 as spdy_next(). */
static int feed(struct spdy *s, const void *data, size_t len, size_t step, struct buf *log,
                struct error *err)
{
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        AUTO_FREE uint8_t *copy = xmemdup((const uint8_t *)data + at, n);
        struct input in = {copy, n};
        struct spdy_event event;

        do {
            if (spdy_next(s, &in, &event, err) < 0)
                return -1;
            tell(log, &event);
            if (event.type == SPDY_OPENED)
                spdy_accept(s, event.stream);
        } while (event.type != SPDY_MORE);
        assert_int_equal(in.len, 0);
    }
    return 0;
}

/* What the client's bytes come to, at once. */
static void expect(struct spdy *s, struct client *c, const char *events)
{
    AUTO_FINI(buf) log = BUF(4 << 20);
    struct error err;

    if (feed(s, c->bytes.data, c->bytes.len, SIZE_MAX / 2, &log, &err) < 0)
        fail_msg("%s", err.text);
    buf_consume(&c->bytes, c->bytes.len);
    assert_string_equal(log.data ? log.data : "", events);
}

static void expect_sent(struct spdy *s, const void *bytes, size_t len)
{
    const uint8_t *out;

    assert_int_equal(spdy_transmit(s, &out), len);
    if (len)
        assert_memory_equal(out, bytes, len);
    spdy_transmitted(s, len);
}

/* Fails with that code, once and for all, and says so by GOAWAY. */
static void expect_failure(struct spdy *s, struct client *c, enum error_code code)
{
    AUTO_FINI(buf) log = BUF(64 * 1024);
    struct error err;
    const uint8_t *out;
    size_t len;

    assert_int_equal(feed(s, c->bytes.data, c->bytes.len, SIZE_MAX / 2, &log, &err), -1);
    assert_int_equal(err.code, code);
    len = spdy_transmit(s, &out);
    assert_true(len >= 16);
    assert_memory_equal(out + len - 16, "\x80\3\0\7\0\0\0\10", 8);
    assert_memory_equal(out + len - 4, "\0\0\0\1", 4);
    assert_int_equal(feed(s, "x", 1, 1, &log, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
}

static void test_what_go_sends_is_understood_in_any_pieces(void **state)
{
    static const char whole[] = "opened 1 error\nopened 3 stdin\nopened 5 stdout\n"
                                "opened 7 stderr\nopened 9 resize\n"
                                "data 9 {\"Width\":80,\"Height\":24}\n\n"
                                "data 3 hello\n\nended 3\ngoaway 0\n";
    (void)state;

    for (size_t step = 1; step <= sizeof go_exec; step++) {
        AUTO(spdy) *s = spdy_new();
        AUTO_FINI(buf) log = BUF(64 * 1024);
        struct error err;
        const uint8_t *out;

        assert_int_equal(feed(s, go_exec, sizeof go_exec, step, &log, &err), 0);
        if (step >= 32) /* in smaller ones data comes in pieces */
            assert_true(strncmp(log.data, whole, 75) == 0);
        if (step == sizeof go_exec)
            assert_string_equal(log.data, whole);
        assert_int_equal(spdy_streams(s), 5);
        /* Five replies, the first with the zlib preamble, and the echo of the ping. */
        assert_int_equal(spdy_transmit(s, &out), 8 + 4 + 20 + 4 * (8 + 4 + 14) + 12);
        assert_memory_equal(out + 32 + 4 * 26, "\x80\3\0\6\0\0\0\4\0\0\0\1", 12);
    }
}

/* Go gives out what its inflate has only at the end of a flushed block; zlib is content anyway. */
static void test_replies_are_one_zlib_stream_without_headers(void **state)
{
    static const char bytes[] = "\x80\3\0\2\0\0\0\x18\0\0\0\1\x78\xbb\xe3\xc6\xa7\xc2"
                                "\0\4\0\xfb\xff\0\0\0\0\0\0\0\xff\xff"
                                "\x80\3\0\2\0\0\0\x12\0\0\0\3"
                                "\0\4\0\xfb\xff\0\0\0\0\0\0\0\xff\xff";
    AUTO(spdy) *s = spdy_new();
    struct client c;
    uint8_t block[8], more;
    z_stream z = {.next_in = (Bytef *)bytes + 12, .avail_in = 20};
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "error");
    add_open(&c, 3, 0, "data");
    expect(s, &c, "opened 1 error\nopened 3 data\n");
    expect_sent(s, bytes, sizeof bytes - 1);

    assert_int_equal(inflateInit(&z), Z_OK);
    z.next_out = block;
    z.avail_out = 8;
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_NEED_DICT);
    assert_int_equal(inflateSetDictionary(&z, (const Bytef *)spdy_dictionary, SPDY_DICTIONARY_LEN),
                     Z_OK);
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(z.avail_out, 4);
    z.next_in = (Bytef *)bytes + 44;
    z.avail_in = 14;
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(z.avail_out, 0);
    assert_memory_equal(block, "\0\0\0\0\0\0\0\0", 8);
    z.next_out = &more;
    z.avail_out = 1;
    assert_int_equal(inflate(&z, Z_SYNC_FLUSH), Z_BUF_ERROR);
    inflateEnd(&z);
    client_fini(&c);
}

static void test_a_stream_is_gone_when_both_ends_have_finished(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "data");
    add_data(&c, 1, 1, "last");
    expect(s, &c, "opened 1 data\ndata 1 last\nended 1\n");
    assert_true(spdy_has(s, 1));
    spdy_finish(s, 1);
    assert_false(spdy_has(s, 1));

    add_open(&c, 3, 1, "error"); /* opened and ended at once */
    expect(s, &c, "opened 3 error\nended 3\n");
    spdy_finish(s, 3);
    assert_false(spdy_has(s, 3));

    add_open(&c, 5, 0, "data");
    expect(s, &c, "opened 5 data\n");
    spdy_finish(s, 5);
    spdy_finish(s, 5);
    assert_true(spdy_has(s, 5));
    add_data(&c, 5, 1, "");
    add_data(&c, 5, 0, "too late");
    expect(s, &c, "ended 5\n");
    assert_int_equal(spdy_streams(s), 0);
    client_fini(&c);
}

static void test_resets_of_either_end_end_a_stream(void **state)
{
    static const char reset[] = "\x80\3\0\3\0\0\0\x8\0\0\0\3\0\0\0\5";
    static const char unknown[] = "\x80\3\0\3\0\0\0\x8\0\0\0\x9\0\0\0\2";
    AUTO(spdy) *s = spdy_new();
    const uint8_t *out;
    struct client c;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "data");
    add_open(&c, 3, 0, "data");
    expect(s, &c, "opened 1 data\nopened 3 data\n");
    spdy_transmitted(s, spdy_transmit(s, &out));

    add_control(&c, 3, 0, 8);
    add_u32(&c, 1);
    add_u32(&c, SPDY_CANCEL);
    add_data(&c, 1, 0, "crossed it");
    expect(s, &c, "reset 1\n");
    spdy_reset(s, 3, SPDY_CANCEL);
    spdy_reset(s, 3, SPDY_CANCEL);
    assert_int_equal(spdy_send(s, 3, "lost", 4), 4);
    add_data(&c, 3, 1, "crossed it");
    expect(s, &c, "");
    expect_sent(s, reset, sizeof reset - 1);
    add_data(&c, 9, 1, "never opened");
    expect(s, &c, "");
    expect_sent(s, unknown, sizeof unknown - 1);
    client_fini(&c);
}

static void test_what_nobody_needs_is_passed_over(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    client_init(&c);
    add_control(&c, 4, 0, 12); /* SETTINGS */
    add(&c, "\0\0\0\1\0\0\0\7\0\1\0\0", 12);
    add_control(&c, 9, 0, 8); /* WINDOW_UPDATE */
    add(&c, "\0\0\0\0\0\1\0\0", 8);
    add_control(&c, 77, 3, 5);
    add(&c, "later", 5);
    add_control(&c, 10, 0, 0);
    add_control(&c, 6, 0, 4); /* the answer to a PING of ours */
    add_u32(&c, 2);
    add_open(&c, 1, 0, "data");
    expect(s, &c, "opened 1 data\n");
    client_fini(&c);
}

static void test_headers_are_found_with_all_their_values(void **state)
{
    static const char block[] = "\0\0\0\3"
                                "\0\0\0\4port\0\0\0\2"
                                "80"
                                "\0\0\0\3two\0\0\0\3a\0b"
                                "\0\0\0\1e\0\0\0\0";
    AUTO(spdy) *s = spdy_new();
    struct spdy_event event;
    struct client c;
    struct error err;
    struct input in;
    (void)state;

    client_init(&c);
    add_open_block(&c, 1, 0, block, sizeof block - 1);
    in = (struct input){(uint8_t *)c.bytes.data, c.bytes.len};
    assert_int_equal(spdy_next(s, &in, &event, &err), 0);
    assert_int_equal(event.type, SPDY_OPENED);
    assert_int_equal(event.n_headers, 3);
    assert_string_equal(spdy_event_find(&event, "Port"), "80");
    assert_string_equal(spdy_event_find(&event, "TWO"), "a");
    assert_int_equal(event.headers[1].value_len, 3);
    assert_memory_equal(event.headers[1].value, "a\0b", 4);
    assert_string_equal(spdy_event_find(&event, "e"), "");
    assert_null(spdy_event_find(&event, "requestid"));
    client_fini(&c);
}

static void test_damaged_headers_end_the_session(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } blocks[] = {
        {"", 0},
        {"\0\0\0", 3},
        {"\0\0\0\1", 4},
        {"\0\0\0\1\0\0\0\1a", 9},
        {"\0\0\0\1\0\0\0\2a", 9},
        {"\0\0\0\1\0\0\0\1a\0\0\0\1", 13},
        {"\0\0\0\1\0\0\0\1a\xff\xff\xff\xff", 13},
        {"\0\0\0\1\0\0\0\0\0\0\0\1v", 13},
        {"\0\0\0\1\0\0\0\1\0\0\0\0\1v", 14},
        {"\0\0\0\0x", 5},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        AUTO(spdy) *s = spdy_new();
        struct client c;

        client_init(&c);
        add_open_block(&c, 1, 0, blocks[i].bytes, blocks[i].len);
        expect_failure(s, &c, ERROR_INVALID);
        client_fini(&c);
    }
}

static void test_a_decompression_bomb_ends_the_session(void **state)
{
    AUTO_FREE char *zeros = xcalloc(1, 8 << 20);
    static const size_t sizes[] = {SPDY_BLOCK_MAX + 1, 8 << 20};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        AUTO(spdy) *s = spdy_new();
        struct client c;

        client_init(&c);
        add_open_block(&c, 1, 0, zeros, sizes[i]);
        expect_failure(s, &c, ERROR_EXHAUSTED);
        client_fini(&c);
    }
}

static void test_the_largest_block_is_taken(void **state)
{
    AUTO_FREE char *block = xcalloc(1, SPDY_BLOCK_MAX);
    uint32_t len = SPDY_BLOCK_MAX - 13;
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    memcpy(block, "\0\0\0\1\0\0\0\1a\0\0", 11);
    block[11] = (char)(len >> 8);
    block[12] = (char)len;
    client_init(&c);
    add_open_block(&c, 1, 0, block, SPDY_BLOCK_MAX);
    expect(s, &c, "opened 1\n");
    client_fini(&c);
}

static void test_broken_frames_end_the_session(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } frames[] = {
        {"\x80\2\0\1\0\0\0\x0a", 8},                          /* SPDY/2 */
        {"\x80\3\0\1\0\0\0\x09", 8},                          /* SYN_STREAM too short */
        {"\x80\3\0\2\0\0\0\3", 8},                            /* SYN_REPLY too short */
        {"\x80\3\0\3\0\0\0\x09", 8},                          /* RST_STREAM too long */
        {"\x80\3\0\6\0\0\0\5", 8},                            /* PING too long */
        {"\x80\3\0\7\0\0\0\4", 8},                            /* GOAWAY of SPDY/2 */
        {"\x80\3\0\1\0\0\0\x0e\0\0\0\1\0\0\0\0\0\0zlib", 22}, /* no zlib stream */
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        AUTO(spdy) *s = spdy_new();
        struct client c;

        client_init(&c);
        add(&c, frames[i].bytes, frames[i].len);
        expect_failure(s, &c, ERROR_INVALID);
        client_fini(&c);
    }
}

static void test_stream_numbers_only_rise(void **state)
{
    static const uint32_t second[] = {2, 3, 1, 0};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(second); i++) {
        AUTO(spdy) *s = spdy_new();
        struct client c;

        client_init(&c);
        add_open(&c, 3, 0, "error");
        add_open(&c, second[i], 0, "data");
        expect_failure(s, &c, ERROR_INVALID);
        client_fini(&c);
    }
}

static void test_streams_beyond_the_limit_are_refused(void **state)
{
    AUTO(spdy) *s = spdy_new();
    AUTO_FINI(buf) log = BUF(1 << 20);
    static const char refused[] = "\x80\3\0\3\0\0\0\x8\0\0\x10\1\0\0\0\3";
    const uint8_t *out;
    struct error err;
    struct client c;
    (void)state;

    client_init(&c);
    for (uint32_t i = 0; i < SPDY_STREAMS_MAX; i++)
        add_open(&c, 2 * i + 1, 0, "data");
    assert_int_equal(feed(s, c.bytes.data, c.bytes.len, 1000, &log, &err), 0);
    assert_int_equal(spdy_streams(s), SPDY_STREAMS_MAX);
    spdy_transmitted(s, spdy_transmit(s, &out));
    buf_consume(&c.bytes, c.bytes.len);

    add_open(&c, 2 * SPDY_STREAMS_MAX + 1, 1, "data");
    expect(s, &c, "");
    expect_sent(s, refused, sizeof refused - 1);
    spdy_reset(s, 999, SPDY_CANCEL);
    add_open(&c, 2 * SPDY_STREAMS_MAX + 3, 0, "data");
    expect(s, &c, "opened 4099 data\n");
    client_fini(&c);
}

static void test_after_goaway_streams_are_refused(void **state)
{
    static const char bytes[] = "\x80\3\0\7\0\0\0\x8\0\0\0\0\0\0\0\0"
                                "\x80\3\0\3\0\0\0\x8\0\0\0\1\0\0\0\3";
    AUTO(spdy) *s = spdy_new();
    struct client c;
    (void)state;

    client_init(&c);
    spdy_goaway(s);
    spdy_goaway(s);
    add_open(&c, 1, 0, "data");
    expect(s, &c, "");
    expect_sent(s, bytes, sizeof bytes - 1);
    client_fini(&c);
}

static void test_output_is_bounded_and_comes_in_frames(void **state)
{
    AUTO_FREE char *data = xcalloc(1, 1 << 20);
    AUTO(spdy) *s = spdy_new();
    const uint8_t *out;
    struct client c;
    size_t sent, len;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "stdout");
    expect(s, &c, "opened 1 stdout\n");
    spdy_transmitted(s, spdy_transmit(s, &out));
    sent = spdy_send(s, 1, data, 1 << 20);
    assert_in_range(sent, SPDY_OUT_MAX - 5000, SPDY_OUT_MAX);
    assert_int_equal(spdy_room(s, 1), 0);
    assert_int_equal(spdy_send(s, 1, data, 1), 0);
    len = spdy_transmit(s, &out);
    assert_in_range(len, sent, SPDY_OUT_MAX);
    assert_memory_equal(out, "\0\0\0\1\0\0\x80\0", 8);
    spdy_finish(s, 1); /* what ends a stream always has room */
    assert_int_equal(spdy_transmit(s, &out), len + 8);
    assert_memory_equal(out + len, "\0\0\0\1\1\0\0\0", 8);
    spdy_transmitted(s, len);
    assert_true(spdy_room(s, 1) > 0);
    assert_int_equal(spdy_send(s, 1, data, 5), 5); /* but nothing follows it */
    assert_int_equal(spdy_transmit(s, &out), 8);
    client_fini(&c);
}

static void test_the_reply_comes_before_data(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct spdy_event event;
    const uint8_t *out;
    struct error err;
    struct client c;
    struct input in;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "stdout");
    in = (struct input){(uint8_t *)c.bytes.data, c.bytes.len};
    assert_int_equal(spdy_next(s, &in, &event, &err), 0);
    spdy_send(s, 1, "x", 1);
    assert_int_equal(spdy_transmit(s, &out), 32 + 9);
    assert_memory_equal(out, "\x80\3\0\2", 4);
    client_fini(&c);
}

static void test_a_client_that_pings_and_does_not_read_is_given_up(void **state)
{
    AUTO(spdy) *s = spdy_new();
    AUTO_FINI(buf) log = BUF(1000);
    struct error err;
    struct client c;
    (void)state;

    client_init(&c);
    for (int i = 0; i < 40000; i++) {
        add_control(&c, 6, 0, 4);
        add_u32(&c, 1);
    }
    assert_int_equal(feed(s, c.bytes.data, c.bytes.len, 1 << 20, &log, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    client_fini(&c);
}

static void test_events_carry_the_user_of_their_stream(void **state)
{
    AUTO(spdy) *s = spdy_new();
    struct spdy_event event;
    struct error err;
    struct client c;
    struct input in;
    int mine;
    (void)state;

    client_init(&c);
    add_open(&c, 1, 0, "data");
    add_data(&c, 1, 1, "x");
    in = (struct input){(uint8_t *)c.bytes.data, c.bytes.len};
    assert_int_equal(spdy_next(s, &in, &event, &err), 0);
    assert_null(event.user);
    spdy_set_user(s, event.stream, &mine);
    spdy_finish(s, event.stream);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(spdy_next(s, &in, &event, &err), 0);
        assert_ptr_equal(event.user, &mine);
    }
    assert_int_equal(event.type, SPDY_ENDED);
    assert_false(spdy_has(s, 1));
    client_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_go_sends_is_understood_in_any_pieces),
        cmocka_unit_test(test_replies_are_one_zlib_stream_without_headers),
        cmocka_unit_test(test_a_stream_is_gone_when_both_ends_have_finished),
        cmocka_unit_test(test_resets_of_either_end_end_a_stream),
        cmocka_unit_test(test_what_nobody_needs_is_passed_over),
        cmocka_unit_test(test_headers_are_found_with_all_their_values),
        cmocka_unit_test(test_damaged_headers_end_the_session),
        cmocka_unit_test(test_a_decompression_bomb_ends_the_session),
        cmocka_unit_test(test_the_largest_block_is_taken),
        cmocka_unit_test(test_broken_frames_end_the_session),
        cmocka_unit_test(test_stream_numbers_only_rise),
        cmocka_unit_test(test_streams_beyond_the_limit_are_refused),
        cmocka_unit_test(test_after_goaway_streams_are_refused),
        cmocka_unit_test(test_output_is_bounded_and_comes_in_frames),
        cmocka_unit_test(test_the_reply_comes_before_data),
        cmocka_unit_test(test_a_client_that_pings_and_does_not_read_is_given_up),
        cmocka_unit_test(test_events_carry_the_user_of_their_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
