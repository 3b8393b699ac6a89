// SPDX-License-Identifier: Apache-2.0
#include "rpc/client.h"

#include "rpc/server_fixture_test.h"

static void test_calls_follow_each_other_on_a_connection(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    for (int i = 0; i < 100; i++)
        assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
    assert_int_equal(atomic_load(&f->observed), 100);
}

static void test_an_error_comes_with_its_code_and_words(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "fail", PATIENCE_MS, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(err.text, "kein „Gerät“\nzu 100%");
    assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
}

static void test_methods_nobody_serves_are_named(void **state)
{
    Runtime__V1__StatusRequest request = RUNTIME__V1__STATUS_REQUEST__INIT;
    Runtime__V1__ListImagesRequest other = RUNTIME__V1__LIST_IMAGES_REQUEST__INIT;
    struct deadline by = deadline_in_ms(PATIENCE_MS);
    struct rpc_client *c = rpc_fixture_open(*state);
    struct error err = {0};

    assert_null(rpc_client_call(c, RUNTIME, "Status", &request.base, NULL, &by, &err));
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    assert_string_equal(err.text, "Berth does not serve runtime.v1.RuntimeService/Status yet");
    assert_null(rpc_client_call(c, &runtime__v1__image_service__descriptor, "ListImages",
                                &other.base, NULL, &by, &err));
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    assert_string_equal(err.text, "unknown method \"/runtime.v1.ImageService/ListImages\"");
    rpc_client_close(c);
}

static void test_the_deadline_reaches_the_handler(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "deadline", 50000, &err), 0);
    assert_in_range(atomic_load(&f->left_ns), INT64_C(40000000000), INT64_C(50000000000));
    rpc_client_close(c);
}

static void test_a_client_gives_up_at_its_deadline(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "wait", 50, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE);
    rpc_fixture_wait_until(&f->waiting, 0);
    assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
}

static void test_a_response_over_the_limit_is_an_error(void **state)
{
    struct rpc_client *c = rpc_fixture_open(*state);
    struct error err = {0};

    assert_int_equal(rpc_fixture_ask(c, "big", PATIENCE_MS, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_string_equal(err.text, "runtime.v1.VersionResponse of 16777226 bytes, more than the "
                                  "limit of 16777216");
    rpc_client_close(c);
}

static void test_nobody_listening_is_unavailable(void **state)
{
    struct error err = {0};
    (void)state;

    assert_null(rpc_client_open("/tmp/rpc-test-nobody", &err));
    assert_int_equal(err.code, ERROR_UNAVAILABLE);
}

static void test_a_stream_comes_whole_and_in_order(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct rpc_reading r = {0};
    struct error err = {0};

    atomic_store(&f->events, 5000);
    assert_int_equal(rpc_fixture_read(c, &r, &err), 0);
    assert_int_equal(r.n, 5000);
    rpc_client_close(c);
}

static void test_a_client_may_stop_a_stream(void **state)
{
    struct rpc_fixture *f = *state;
    struct rpc_client *c = rpc_fixture_open(f);
    struct rpc_reading r = {.stop_at = 700};
    struct error err = {0};

    assert_int_equal(rpc_fixture_read(c, &r, &err), -1);
    assert_int_equal(r.n, 700);
    assert_string_equal(err.text, "enough");
    rpc_fixture_wait_until(&f->outcome, ERROR_CANCELLED);
    assert_int_equal(rpc_fixture_ask(c, "v1", PATIENCE_MS, &err), 0);
    rpc_client_close(c);
}

#define CLIENT_TEST(test)                                                                          \
    cmocka_unit_test_setup_teardown(test, rpc_fixture_setup, rpc_fixture_teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CLIENT_TEST(test_calls_follow_each_other_on_a_connection),
        CLIENT_TEST(test_an_error_comes_with_its_code_and_words),
        CLIENT_TEST(test_methods_nobody_serves_are_named),
        CLIENT_TEST(test_the_deadline_reaches_the_handler),
        CLIENT_TEST(test_a_client_gives_up_at_its_deadline),
        CLIENT_TEST(test_a_response_over_the_limit_is_an_error),
        cmocka_unit_test(test_nobody_listening_is_unavailable),
        CLIENT_TEST(test_a_stream_comes_whole_and_in_order),
        CLIENT_TEST(test_a_client_may_stop_a_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
