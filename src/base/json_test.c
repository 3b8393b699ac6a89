// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static struct json_object *parse(const char *text, struct error *err)
{
    return json_parse(text, strlen(text), err);
}

static void test_getters_pass_over_what_is_absent_or_of_another_type(void **state)
{
    struct error err;
    JSON_AUTO *tree = parse("{\"s\":\"x\",\"n\":5,\"f\":true,\"a\":[1,\"b\"]}", &err);

    (void)state;
    assert_non_null(tree);
    assert_string_equal(json_get_str(tree, "s"), "x");
    assert_null(json_get_str(tree, "n"));
    assert_null(json_get_str(NULL, "n"));
    assert_int_equal(json_get_int(tree, "n", 0), 5);
    assert_int_equal(json_get_int(tree, "s", 7), 7);
    assert_true(json_get_flag(tree, "f", false));
    assert_true(json_get_flag(tree, "none", true));
    assert_int_equal(json_len(json_get(tree, "a")), 2);
    assert_string_equal(json_str(json_at(json_get(tree, "a"), 1)), "b");
    assert_null(json_at(json_get(tree, "a"), 2));
}

static void test_numbers_keep_all_their_digits(void **state)
{
    struct error err;
    JSON_AUTO *tree = parse("[18446744073709551615,-9223372036854775808]", &err);

    (void)state;
    assert_non_null(tree);
    assert_string_equal(json_text(tree), "[18446744073709551615,-9223372036854775808]");
}

static void test_what_is_no_json_is_refused(void **state)
{
    static const char *const cases[] = {"",         "{",   "{}x",  "nul",
                                        "{\"a\":}", "'a'", "[1,]", "{\"a\":\"\xff\"}"};
    char deep[JSON_DEPTH_MAX * 2 + 10];

    (void)state;
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    for (size_t i = 0; i <= COUNT_OF(cases); i++) {
        struct error err;

        assert_null(parse(i < COUNT_OF(cases) ? cases[i] : deep, &err));
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_getters_pass_over_what_is_absent_or_of_another_type),
        cmocka_unit_test(test_numbers_keep_all_their_digits),
        cmocka_unit_test(test_what_is_no_json_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
