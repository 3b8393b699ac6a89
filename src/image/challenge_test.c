// SPDX-License-Identifier: Apache-2.0
#include "image/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void same(const char *is, const char *wanted)
{
    if (wanted)
        assert_string_equal(is ? is : "(null)", wanted);
    else
        assert_null(is);
}

static void test_best_is_found_and_taken_apart(void **state)
{
    static const struct {
        const char *value;
        enum challenge_scheme scheme;
        const char *realm, *service, *scope, *error;
    } good[] = {
        {"Bearer realm=\"https://a/token\",service=\"s\",scope=\"repository:x:pull\"",
         CHALLENGE_BEARER, "https://a/token", "s", "repository:x:pull", NULL},
        {"bearer REALM = https://a/token , error=\"invalid_token\"", CHALLENGE_BEARER,
         "https://a/token", NULL, NULL, "invalid_token"},
        {"Basic realm=\"a \\\"quoted\\\" one\"", CHALLENGE_BASIC, "a \"quoted\" one", NULL, NULL,
         NULL},
        {"Basic", CHALLENGE_BASIC, NULL, NULL, NULL, NULL},
        {"Basic realm=\"b\", Bearer realm=\"t\",scope=\"x,y\"", CHALLENGE_BEARER, "t", NULL, "x,y",
         NULL},
        {"Digest realm=\"d\", nonce=\"n\", Basic realm=\"b\"", CHALLENGE_BASIC, "b", NULL, NULL,
         NULL},
        {"Negotiate YII=, Basic realm=b", CHALLENGE_BASIC, "b", NULL, NULL, NULL},
        {"Negotiate abc/def, Basic realm=b", CHALLENGE_BASIC, "b", NULL, NULL, NULL},
        {"Negotiate, Basic realm=b", CHALLENGE_BASIC, "b", NULL, NULL, NULL},
        {"Bearer service=x, Basic realm=b", CHALLENGE_BASIC, "b", NULL, NULL, NULL},
        {"Bearer realm=\"1\",realm=\"2\"", CHALLENGE_BEARER, "1", NULL, NULL, NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        AUTO_FINI(challenge_list) list = {0};
        const struct challenge *best;
        struct error err;

        if (challenge_list_add(&list, good[i].value, &err) < 0)
            fail_msg("%s: %s", good[i].value, err.text);
        best = challenge_list_best(&list);
        assert_non_null(best);
        assert_int_equal(best->scheme, good[i].scheme);
        same(best->realm, good[i].realm);
        same(best->service, good[i].service);
        same(best->scope, good[i].scope);
        same(best->error, good[i].error);
    }
}

static void test_a_list_gathers_several_headers(void **state)
{
    AUTO_FINI(challenge_list) list = {0};
    struct error err;
    (void)state;

    assert_int_equal(challenge_list_add(&list, "Basic realm=b", &err), 0);
    assert_int_equal(challenge_list_add(&list, "Bearer realm=t", &err), 0);
    assert_int_equal(list.len, 2);
    assert_string_equal(challenge_list_best(&list)->realm, "t");
}

static void test_what_is_unsupported_is_none(void **state)
{
    AUTO_FINI(challenge_list) list = {0};
    struct error err;
    (void)state;

    assert_null(challenge_list_best(&list));
    assert_int_equal(challenge_list_add(&list, " , ", &err), 0);
    assert_int_equal(challenge_list_add(&list, "Digest realm=x, Bearer realm=\"\"", &err), 0);
    assert_null(challenge_list_best(&list));
}

static void test_add_refuses_what_is_no_challenge(void **state)
{
    static const char *const bad[] = {"=",
                                      "\"",
                                      "Basic realm=\"open",
                                      "Basic realm=\"a\\",
                                      "Bearer realm=\"x\"\"y\"",
                                      "Basic (",
                                      "a,a,a,a,a,a,a,a,a"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_FINI(challenge_list) list = {0};
        struct error err;

        if (challenge_list_add(&list, bad[i], &err) == 0)
            fail_msg("%s was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_is_found_and_taken_apart),
        cmocka_unit_test(test_a_list_gathers_several_headers),
        cmocka_unit_test(test_what_is_unsupported_is_none),
        cmocka_unit_test(test_add_refuses_what_is_no_challenge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
