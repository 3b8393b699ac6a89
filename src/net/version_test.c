// SPDX-License-Identifier: Apache-2.0
#include "net/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

static char *choose(const char *text, struct error *err)
{
    JSON_AUTO *list = json_parse(text, strlen(text), err);

    assert_non_null(list);
    return version_choose(list, err);
}

static void test_choose_takes_the_newest_that_both_know(void **state)
{
    static const char *const cases[][2] = {
        {"{}", "0.1.0"},
        {"{\"cniVersion\":\"\"}", "0.1.0"},
        {"{\"cniVersion\":\"0.3.1\"}", "0.3.1"},
        {"{\"cniVersions\":[\"0.4.0\",\"1.1.0\",\"1.0.0\"]}", "1.1.0"},
        {"{\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"0.4.0\",\"2.0.0\"]}", "1.0.0"},
        {"{\"cniVersion\":\"2.0.0\",\"cniVersions\":[\"0.4.0\",\"1.0.0\"]}", "1.0.0"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        AUTO_FREE char *chosen = choose(cases[i][0], &err);

        assert_non_null(chosen);
        assert_string_equal(chosen, cases[i][1]);
    }
}

static void test_choose_refuses_what_it_does_not_know(void **state)
{
    static const char *const cases[] = {"{\"cniVersion\":\"1.2.0\"}", "{\"cniVersion\":\"one\"}",
                                        "{\"cniVersion\":\"1.0\"}", "{\"cniVersions\":[1]}",
                                        "{\"cniVersions\":[\"9.0.0\"]}"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};

        assert_null(choose(cases[i], &err));
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_versions_compare_as_numbers(void **state)
{
    (void)state;
    assert_true(version_is_at_least("0.4.0", 0, 4));
    assert_true(version_is_at_least("0.10.0", 0, 4));
    assert_true(version_is_at_least("1.0.0", 0, 4));
    assert_false(version_is_at_least("0.3.1", 0, 4));
    assert_false(version_is_at_least("1.0.9", 1, 1));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_choose_takes_the_newest_that_both_know),
        cmocka_unit_test(test_choose_refuses_what_it_does_not_know),
        cmocka_unit_test(test_versions_compare_as_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
