// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_addresses_are_read_in_all_their_forms(void **state)
{
    static const struct {
        const char *text;
        const char *formatted;
    } cases[] = {{"127.0.0.1", "127.0.0.1:80"},
                 {"0.0.0.0", "0.0.0.0:80"},
                 {"::1", "[::1]:80"},
                 {"[::1]", "[::1]:80"},
                 {"::", "[::]:80"}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *text = NULL;
        struct stream_address a;
        struct error err;

        assert_int_equal(stream_address_find(cases[i].text, 80, &a, &err), 0);
        text = stream_address_format(&a);
        assert_string_equal(text, cases[i].formatted);
    }
}

static void test_a_name_is_looked_up(void **state)
{
    AUTO_FREE char *text = NULL;
    struct stream_address a;
    struct error err;
    (void)state;

    assert_int_equal(stream_address_find("localhost", 80, &a, &err), 0);
    text = stream_address_format(&a);
    assert_true(strcmp(text, "127.0.0.1:80") == 0 || strcmp(text, "[::1]:80") == 0);
}

static void test_what_is_no_address_is_named(void **state)
{
    static const char *const cases[] = {"[127.0.0.1]", "[::1", "no.such.host.invalid", "1.2.3.4.5",
                                        "a b"};
    struct stream_address a;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err;

        assert_int_equal(stream_address_find(cases[i], 80, &a, &err), -1);
        assert_non_null(strstr(err.text, cases[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_read_in_all_their_forms),
        cmocka_unit_test(test_a_name_is_looked_up),
        cmocka_unit_test(test_what_is_no_address_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
