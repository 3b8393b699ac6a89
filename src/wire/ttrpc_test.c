// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/own.h"
#include "ttrpc.pb-c.h"
#include "wire/ttrpc.h"

enum { OUT_MAX = 16 * 1024 * 1024 };

static void feed(struct ttrpc_decoder *d, const void *data, size_t len)
{
    struct error err;

    if (ttrpc_decoder_feed(d, data, len, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_the_header_is_big_endian(void **state)
{
    static const uint8_t bytes[] = {0, 1, 2, 3, 0x80, 0, 0, 5, 2, 1};
    struct ttrpc_frame frame = {
        .len = 0x010203, .stream = 0x80000005, .type = TTRPC_RESPONSE, .flags = 1};
    uint8_t out[TTRPC_HEADER_SIZE];
    (void)state;

    ttrpc_encode_header(out, &frame);
    assert_memory_equal(out, bytes, sizeof bytes);
}

static void test_frames_come_out_however_the_bytes_come_in(void **state)
{
    static const uint8_t bytes[] = {0, 0, 0, 2, 0, 0, 0, 1, 1, 0, 'h', 'i', /* a request */
                                    0, 0, 0, 0, 0, 0, 0, 3, 3, 5,           /* an end */
                                    0, 0, 0, 1, 0, 0, 0, 5, 9, 0, 'x'};     /* who knows */
    (void)state;

    for (size_t step = 1; step <= sizeof bytes; step++) {
        struct ttrpc_decoder d;
        struct ttrpc_frame frame;
        size_t n = 0;

        ttrpc_decoder_init(&d);
        for (size_t at = 0; at < sizeof bytes; at += step) {
            AUTO_FREE uint8_t *copy =
                xmemdup(bytes + at, sizeof bytes - at < step ? sizeof bytes - at : step);

            feed(&d, copy, sizeof bytes - at < step ? sizeof bytes - at : step);
            for (; ttrpc_decoder_next(&d, &frame); n++) {
                static const size_t lengths[] = {2, 0, 1};
                static const uint8_t types[] = {1, 3, 9};

                assert_int_equal(frame.len, lengths[n]);
                assert_int_equal(frame.type, types[n]);
                assert_int_equal(frame.stream, 2 * n + 1);
                assert_false(frame.is_oversized);
                assert_memory_equal(frame.data, n == 0 ? "hi" : "x", frame.len);
            }
        }
        assert_int_equal(n, 3);
        assert_int_equal(d.in.cap, 0);
        ttrpc_decoder_fini(&d);
    }
}

static void test_an_oversized_frame_is_passed_over(void **state)
{
    static const uint8_t next[] = {0, 0, 0, 1, 0, 0, 0, 9, 1, 0, 'x'};
    uint8_t header[TTRPC_HEADER_SIZE];
    struct ttrpc_frame frame = {.len = TTRPC_DATA_MAX + 1, .stream = 7, .type = TTRPC_REQUEST};
    AUTO_FREE uint8_t *zeros = xcalloc(1, TTRPC_FEED_MAX);
    struct ttrpc_decoder d;
    (void)state;

    ttrpc_decoder_init(&d);
    ttrpc_encode_header(header, &frame);
    feed(&d, header, sizeof header);
    assert_true(ttrpc_decoder_next(&d, &frame));
    assert_true(frame.is_oversized);
    assert_int_equal(frame.stream, 7);
    assert_null(frame.data);
    for (size_t left = TTRPC_DATA_MAX + 1; left > 0;) {
        size_t n = left < TTRPC_FEED_MAX ? left : TTRPC_FEED_MAX;

        feed(&d, zeros, n);
        assert_false(ttrpc_decoder_next(&d, &frame));
        left -= n;
    }
    feed(&d, next, sizeof next);
    assert_true(ttrpc_decoder_next(&d, &frame));
    assert_int_equal(frame.stream, 9);
    assert_memory_equal(frame.data, "x", 1);
    ttrpc_decoder_fini(&d);
}

static void test_the_largest_frame_fits(void **state)
{
    uint8_t header[TTRPC_HEADER_SIZE];
    struct ttrpc_frame frame = {.len = TTRPC_DATA_MAX, .stream = 1, .type = TTRPC_REQUEST};
    AUTO_FREE uint8_t *zeros = xcalloc(1, TTRPC_FEED_MAX);
    struct ttrpc_decoder d;
    struct error err;
    (void)state;

    ttrpc_decoder_init(&d);
    ttrpc_encode_header(header, &frame);
    feed(&d, header, sizeof header);
    for (size_t left = TTRPC_DATA_MAX; left > 0; left -= TTRPC_FEED_MAX) {
        assert_false(ttrpc_decoder_next(&d, &frame));
        feed(&d, zeros, TTRPC_FEED_MAX);
    }
    assert_true(ttrpc_decoder_next(&d, &frame));
    assert_int_equal(frame.len, TTRPC_DATA_MAX);
    assert_int_equal(ttrpc_decoder_feed(&d, zeros, TTRPC_FEED_MAX + 1, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    ttrpc_decoder_fini(&d);
}

static void test_a_request_can_be_read_back(void **state)
{
    struct ttrpc_request request = {"a.B", "Do", 5000, "k8s.io"};
    Ttrpc__KeyValue message = TTRPC__KEY_VALUE__INIT;
    AUTO_FINI(buf) out = BUF(OUT_MAX);
    AUTO_FINI(arena) arena;
    struct ttrpc_decoder d;
    struct ttrpc_frame frame;
    struct error err;
    Ttrpc__Request *read;
    (void)state;

    message.key = (char *)"k";
    assert_int_equal(ttrpc_encode_request(&out, 3, &request, &message.base, &err), 0);
    ttrpc_decoder_init(&d);
    feed(&d, out.data, out.len);
    assert_true(ttrpc_decoder_next(&d, &frame));
    assert_int_equal(frame.stream, 3);
    assert_int_equal(frame.type, TTRPC_REQUEST);
    assert_int_equal(frame.flags, 0);
    arena_init(&arena, OUT_MAX);
    read = (Ttrpc__Request *)arena_unpack(&arena, &ttrpc__request__descriptor, frame.data,
                                          frame.len, &err);
    assert_non_null(read);
    assert_string_equal(read->service, "a.B");
    assert_string_equal(read->method, "Do");
    assert_int_equal(read->timeout_nano, 5000);
    assert_int_equal(read->n_metadata, 1);
    assert_string_equal(read->metadata[0]->key, "containerd-namespace-ttrpc");
    assert_string_equal(read->metadata[0]->value, "k8s.io");
    assert_int_equal(read->payload.len, 3);
    ttrpc_decoder_fini(&d);
}

static void test_what_is_too_long_is_not_encoded(void **state)
{
    AUTO_FREE char *value = xcalloc(1, TTRPC_DATA_MAX + 1);
    Ttrpc__KeyValue message = TTRPC__KEY_VALUE__INIT;
    struct ttrpc_request request = {"a.B", "Do", 0, NULL};
    AUTO_FINI(buf) out = BUF(OUT_MAX);
    struct error err;
    (void)state;

    memset(value, 'x', TTRPC_DATA_MAX);
    message.value = value;
    assert_int_equal(ttrpc_encode_request(&out, 1, &request, &message.base, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    /* The message alone fits, with what is around it it does not. */
    value[TTRPC_DATA_MAX - 8] = '\0';
    assert_int_equal(ttrpc_encode_response(&out, 1, NULL, &message.base, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_int_equal(out.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_header_is_big_endian),
        cmocka_unit_test(test_frames_come_out_however_the_bytes_come_in),
        cmocka_unit_test(test_an_oversized_frame_is_passed_over),
        cmocka_unit_test(test_the_largest_frame_fits),
        cmocka_unit_test(test_a_request_can_be_read_back),
        cmocka_unit_test(test_what_is_too_long_is_not_encoded),
    };

    return cmocka_run_group_tests_name("ttrpc", tests, NULL, NULL);
}
