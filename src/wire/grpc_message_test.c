// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cri.pb-c.h"

static struct grpc_frame *frame_of(const char *version)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    struct grpc_frame *frame;
    struct error err;

    request.version = (char *)version;
    frame = grpc_frame_new(&request.base, 100, &err);
    assert_non_null(frame);
    return frame;
}

static void test_a_message_arrives_in_pieces_of_any_size(void **state)
{
    struct grpc_frame *frame = frame_of("v1");
    struct error err;
    (void)state;

    for (size_t step = 1; step <= frame->len; step++) {
        struct grpc_message m;

        grpc_message_init(&m, 100);
        assert_true(grpc_message_is_empty(&m));
        for (size_t at = 0; at < frame->len;) {
            size_t n = frame->len - at < step ? frame->len - at : step;

            assert_false(grpc_message_is_complete(&m));
            while (n > 0) {
                ssize_t taken = grpc_message_read(&m, frame->data + at, n, &err);

                assert_true(taken > 0);
                at += (size_t)taken;
                n -= (size_t)taken;
            }
        }
        assert_true(grpc_message_is_complete(&m));
        assert_int_equal(m.body.len, frame->len - GRPC_FRAME_PREFIX);
        assert_memory_equal(m.body.data, frame->data + GRPC_FRAME_PREFIX, m.body.len);
        grpc_message_fini(&m);
    }
    grpc_frame_free(frame);
}

static void test_the_next_message_is_left_alone(void **state)
{
    static const unsigned char two[] = {0, 0, 0, 0, 1, 'a', 0, 0, 0, 0, 0};
    struct grpc_message m;
    struct error err;
    (void)state;

    grpc_message_init(&m, 100);
    assert_int_equal(grpc_message_read(&m, two, sizeof two, &err), 6);
    assert_true(grpc_message_is_complete(&m));
    assert_string_equal(m.body.data, "a");
    grpc_message_reset(&m);
    assert_int_equal(grpc_message_read(&m, two + 6, 5, &err), 5);
    assert_true(grpc_message_is_complete(&m));
    assert_int_equal(m.body.len, 0);
    grpc_message_fini(&m);
}

static void test_a_message_over_the_limit_is_refused_by_its_prefix(void **state)
{
    static const unsigned char prefix[] = {0, 0, 0, 0, 101};
    struct grpc_message m;
    struct error err = {0};
    (void)state;

    grpc_message_init(&m, 100);
    assert_int_equal(grpc_message_read(&m, prefix, sizeof prefix, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_string_equal(err.text, "message of 101 bytes, more than the limit of 100");
    grpc_message_fini(&m);
}

static void test_a_compressed_message_is_refused(void **state)
{
    static const unsigned char prefix[] = {1, 0, 0, 0, 1};
    struct grpc_message m;
    struct error err = {0};
    (void)state;

    grpc_message_init(&m, 100);
    assert_int_equal(grpc_message_read(&m, prefix, sizeof prefix, &err), -1);
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    grpc_message_fini(&m);
}

static void test_a_frame_over_the_limit_is_not_made(void **state)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    struct error err = {0};
    (void)state;

    request.version = (char *)"eleven byte";
    assert_null(grpc_frame_new(&request.base, 12, &err));
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_string_equal(err.text,
                        "runtime.v1.VersionRequest of 13 bytes, more than the limit of 12");
}

static void test_frames_queue_in_order(void **state)
{
    struct grpc_frame_queue q = {0};
    struct grpc_frame *a = frame_of("a"), *b = frame_of("b");
    (void)state;

    assert_null(grpc_frame_take(&q));
    grpc_frame_put(&q, a);
    assert_ptr_equal(grpc_frame_take(&q), a);
    assert_null(grpc_frame_take(&q));
    grpc_frame_put(&q, b);
    grpc_frame_put(&q, a);
    assert_ptr_equal(grpc_frame_take(&q), b);
    grpc_frame_free(b);
    grpc_frame_drop_all(&q);
    assert_null(grpc_frame_take(&q));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_message_arrives_in_pieces_of_any_size),
        cmocka_unit_test(test_the_next_message_is_left_alone),
        cmocka_unit_test(test_a_message_over_the_limit_is_refused_by_its_prefix),
        cmocka_unit_test(test_a_compressed_message_is_refused),
        cmocka_unit_test(test_a_frame_over_the_limit_is_not_made),
        cmocka_unit_test(test_frames_queue_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
