// SPDX-License-Identifier: Apache-2.0
#include "stream/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static struct stream_request *request_for(const char *id)
{
    return stream_request_new(STREAM_EXEC, id);
}

static void test_a_token_is_safe_in_a_url_and_good_for_one_use(void **state)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct tokens *t = tokens_new();
    struct stream_request *request;
    char token[TOKENS_SIZE];
    struct error err;
    (void)state;

    assert_int_equal(tokens_add(t, request_for("c1"), 1, token, &err), 0);
    assert_int_equal(strlen(token), TOKENS_LEN);
    assert_int_equal(strspn(token, safe), TOKENS_LEN);
    request = tokens_take(t, token, 2);
    assert_non_null(request);
    assert_string_equal(request->id, "c1");
    stream_request_free(request);
    assert_null(tokens_take(t, token, 3));
    tokens_free(t);
}

static void test_a_token_lives_for_a_minute(void **state)
{
    struct tokens *t = tokens_new();
    struct stream_request *request;
    char early[TOKENS_SIZE], late[TOKENS_SIZE];
    int64_t minute = 60 * CLOCK_NS_PER_S;
    struct error err;
    (void)state;

    assert_int_equal(tokens_add(t, request_for("c1"), 0, early, &err), 0);
    assert_int_equal(tokens_add(t, request_for("c2"), 1, late, &err), 0);
    assert_null(tokens_take(t, early, minute));
    request = tokens_take(t, late, minute);
    assert_non_null(request);
    stream_request_free(request);
    tokens_free(t);
}

static void test_beyond_the_maximum_is_refused_until_some_expire(void **state)
{
    struct tokens *t = tokens_new();
    char token[TOKENS_SIZE];
    struct error err;
    (void)state;

    for (int i = 0; i < TOKENS_MAX; i++)
        assert_int_equal(tokens_add(t, request_for("c"), 0, token, &err), 0);
    assert_int_equal(tokens_add(t, request_for("c"), 0, token, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_int_equal(tokens_add(t, request_for("c"), 60 * CLOCK_NS_PER_S, token, &err), 0);
    tokens_free(t);
}

static void test_what_was_never_given_out_is_unknown(void **state)
{
    struct tokens *t = tokens_new();
    (void)state;

    assert_null(tokens_take(t, "", 0));
    assert_null(tokens_take(t, "AAAAAAAAAAAA", 0));
    tokens_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_is_safe_in_a_url_and_good_for_one_use),
        cmocka_unit_test(test_a_token_lives_for_a_minute),
        cmocka_unit_test(test_beyond_the_maximum_is_refused_until_some_expire),
        cmocka_unit_test(test_what_was_never_given_out_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
