// SPDX-License-Identifier: Apache-2.0
#include "ctl/human.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_bytes_have_one_digit_behind_the_point(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},         {999, "999 B"},      {1000, "1.0 kB"},       {999949, "999.9 kB"},
        {999950, "1.0 MB"}, {1500000, "1.5 MB"}, {UINT64_MAX, "18.4 EB"}};
    char out[HUMAN_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(human_bytes(out, cases[i].bytes), cases[i].text);
}

static void test_age_names_the_largest_unit(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } cases[] = {{-5, "now"},
                 {0, "now"},
                 {1, "1 second ago"},
                 {59, "59 seconds ago"},
                 {60, "1 minute ago"},
                 {7200, "2 hours ago"},
                 {86400LL * 400, "400 days ago"}};
    const int64_t then = 1000 * CLOCK_NS_PER_S;
    char out[HUMAN_SIZE];
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(human_age(out, then, then + cases[i].seconds * CLOCK_NS_PER_S),
                            cases[i].text);
    assert_string_equal(human_age(out, 0, then), "-");
}

static void test_id_is_cut(void **state)
{
    char out[HUMAN_SIZE];
    (void)state;

    assert_string_equal(human_id(out, "sha256:0123456789abcdef"), "0123456789ab");
    assert_string_equal(human_id(out, "0123456789abcdef"), "0123456789ab");
    assert_string_equal(human_id(out, "short"), "short");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_have_one_digit_behind_the_point),
        cmocka_unit_test(test_age_names_the_largest_unit),
        cmocka_unit_test(test_id_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
