// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static const struct {
    const char *text, *mended;
} cases[] = {
    {"", ""},
    {"plain", "plain"},
    {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\x8B", "\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x90\x8B"},
    {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"}, /* U+10FFFF */
    {"\xF4\x90\x80\x80", "????"},             /* one more */
    {"a\xFFz", "a?z"},
    {"\xA4", "?"},           /* no character begins so */
    {"\xC3", "?"},           /* cut */
    {"\xE2\x82z", "??z"},    /* interrupted */
    {"\xC0\xAF", "??"},      /* overlong */
    {"\xED\xA0\x80", "???"}, /* a surrogate */
    {"\xF8\x88\x80\x80\x80", "?????"},
};

static void test_what_is_no_character_is_seen_and_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool is_valid = strcmp(cases[i].text, cases[i].mended) == 0;
        char text[32];

        snprintf(text, sizeof text, "%s", cases[i].text);
        assert_int_equal(utf8_is_valid(text, strlen(text)), is_valid);
        utf8_mend(text);
        assert_string_equal(text, cases[i].mended);
        assert_true(utf8_is_valid(text, strlen(text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_character_is_seen_and_mended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
