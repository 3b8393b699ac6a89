// SPDX-License-Identifier: Apache-2.0
#include "net/quantity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "base/own.h"

static const uint64_t MAX = UINT64_C(1000000000000000);

static void test_parse_accepts_what_kubernetes_writes(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"1500", 1500},
        {"+10", 10},
        {"1k", 1000},
        {"1M", 1000000},
        {"10Mi", 10485760},
        {"1.5k", 1500},
        {"1.1k", 1100},
        {".5k", 500},
        {"5.", 5},
        {"1P", 1000000000000000},
        {"3e6", 3000000},
        {"3E3", 3000},
        {"25e-1", 3},
        {"1500m", 2},
        {"1n", 1},
        {"0.5Ki", 512},
        {"1.0001Ki", 1025},
        {"0.0001Ei", 115292150460685},
        {"0000000000000000000000001", 1},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        uint64_t value = 0;

        if (quantity_parse(cases[i].text, MAX, &value, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(value, cases[i].value);
    }
}

static void test_parse_refuses_what_is_no_quantity(void **state)
{
    static const char *const cases[] = {"",   "k",   "1 k",  "1kk",  "1.2.3",
                                        "e3", "1e",  "1e 3", "0x10", "--1",
                                        ".",  "1ki", "ten",  "1e99", "99999999999999999999"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        uint64_t value = 7;

        assert_int_equal(quantity_parse(cases[i], MAX, &value, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(value, 7);
    }
}

static void test_parse_refuses_what_is_out_of_range(void **state)
{
    static const char *const cases[] = {"-1", "1.1P", "1Pi", "1E", "1e16", "1000000000000001"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        uint64_t value;

        assert_int_equal(quantity_parse(cases[i], MAX, &value, &err), -1);
        assert_int_equal(err.code, ERROR_RANGE);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_accepts_what_kubernetes_writes),
        cmocka_unit_test(test_parse_refuses_what_is_no_quantity),
        cmocka_unit_test(test_parse_refuses_what_is_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
