// SPDX-License-Identifier: Apache-2.0
#include "pod/stop_signal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_names_and_numbers_are_signals(void **state)
{
    static const struct {
        const char *text;
        int number;
    } cases[] = {
        {"SIGTERM", 15},  {"term", 15},     {"sigkill", 9},      {"1", 1},
        {"64", 64},       {"SIGRTMIN", 34}, {"RTMIN+3", 37},     {"RTMAX-1", 63},
        {"SIGRTMAX", 64}, {"RTMIN+30", 64}, {"SIGRTMAX-30", 34},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err;
        int number;

        assert_int_equal(stop_signal_parse(cases[i].text, &number, &err), 0);
        assert_int_equal(number, cases[i].number);
    }
}

static void test_anything_else_is_refused(void **state)
{
    static const char *const cases[] = {"",      "0",       "65",         "-1",     "SIG",
                                        "TERM ", "SIGFOO",  "RTMIN+31",   "RTMIN+", "RTMIN+-1",
                                        "9x",    "RTMAX+1", "SIGRTMAX-31"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err;
        int number;

        assert_int_equal(stop_signal_parse(cases[i], &number, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

/* The enum has indexes of its own, which are not signal numbers. */
static void test_the_enum_is_translated_by_name(void **state)
{
    (void)state;
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)0), 0);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)1), 6);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)23), 15);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)35), 34);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)38), 37);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)51), 50);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)65), 64);
    assert_int_equal(stop_signal_of_enum((Runtime__V1__Signal)66), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_numbers_are_signals),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_the_enum_is_translated_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
