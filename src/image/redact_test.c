// SPDX-License-Identifier: Apache-2.0
#include "image/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_secrets_go_and_the_rest_stays(void **state)
{
    static const char *const table[][2] = {
        {"", ""},
        {"no url? a=b", "no url? a=b"},
        /* the colon behind a value goes with it */
        {"get https://cdn/x?sig=abc&n=1: timeout",
         "get https://cdn/x?sig=REDACTED&n=REDACTED timeout"},
        {"https://cdn/x?sig=abc", "https://cdn/x?sig=REDACTED"},
        {"\"http://u:p@cdn:80/x\" and HTTPS://b?c=d#e",
         "\"http://cdn:80/x\" and HTTPS://b?c=REDACTED"},
        {"https://a/?x&y=&z=1;w=2", "https://a/?x&y=&z=REDACTED;w=REDACTED"},
        {"https://u@a?b=@c", "https://a?b=REDACTED"},
        {"https://", "https://"},
        {"https://a/b@c?", "https://a/b@c?"},
        {"http://http://a:b@c", "http://http://a:b@c"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        AUTO_FREE char *out = redact_urls(table[i][0]);

        assert_string_equal(out, table[i][1]);
    }
}

static void test_growth_has_room(void **state)
{
    char text[4096] = "https://a?";
    AUTO_FREE char *out = NULL;
    (void)state;

    for (size_t at = 10; at + 4 < sizeof text; at += 3)
        memcpy(text + at, "=b&", 3);
    out = redact_urls(text);
    assert_true(strlen(out) > 2 * sizeof text);
    assert_null(strchr(out + 8, 'b'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_secrets_go_and_the_rest_stays),
        cmocka_unit_test(test_growth_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
