// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/own.h"
#include "shim/log_stamp.h"

static void test_a_moment_has_no_more_digits_than_it_needs(void **state)
{
    static const struct {
        const char *zone;
        int64_t ns;
        const char *text;
    } cases[] = {
        {"UTC0", 0, "1970-01-01T00:00:00Z"},
        {"UTC0", 1, "1970-01-01T00:00:00.000000001Z"},
        {"UTC0", 1772359200250000000, "2026-03-01T10:00:00.25Z"},
        {"UTC0", 1772359200123456789, "2026-03-01T10:00:00.123456789Z"},
        {"UTC0", 1772359200100000000, "2026-03-01T10:00:00.1Z"},
        {"CET-1", 1772359200000000000 + 60000000000, "2026-03-01T11:01:00+01:00"},
        {"IST-5:30", 1772359200000000000 + 120000000000, "2026-03-01T15:32:00+05:30"},
        {"NST3:30", 1772359200000000000 + 180000000000, "2026-03-01T06:33:00-03:30"},
    };
    char out[LOG_STAMP_SIZE];
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        setenv("TZ", cases[i].zone, 1);
        assert_int_equal(log_stamp_format(out, cases[i].ns), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_moment_has_no_more_digits_than_it_needs),
    };

    return cmocka_run_group_tests_name("log_stamp", tests, NULL, NULL);
}
