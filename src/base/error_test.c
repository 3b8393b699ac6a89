// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"

static void test_the_chain_reads_as_a_sentence(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(error_errno(&err, ENOSPC, "open %s", "exit record"), -1);
    assert_int_equal(error_wrap(&err, "start container %s", "web"), -1);
    assert_string_equal(err.text, "start container web: open exit record: No space left on device");
    assert_int_equal(err.errnum, ENOSPC);
}

static void test_wrapping_keeps_the_code(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_NOT_FOUND, "there is no pod");
    error_wrap(&err, "stop");
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_string_equal(error_code_name(err.code), "NOT_FOUND");
    assert_string_equal(error_code_name((enum error_code)99), "UNKNOWN");
}

static void test_a_long_chain_is_cut_and_ends(void **state)
{
    struct error err;

    (void)state;
    error_set(&err, ERROR_UNKNOWN, "x");
    for (int i = 0; i < 1000; i++)
        error_wrap(&err, "a frame on the way up");
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

static void test_what_is_cut_inside_a_character_is_text_all_the_same(void **state)
{
    char word[2 * ERROR_TEXT_MAX];
    struct error err;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof word; i += 2)
        memcpy(word + i, "\xC3\xA4", 2);
    word[sizeof word - 1] = '\0';
    for (size_t at = 0; at < 2; at++) {
        error_set(&err, ERROR_UNKNOWN, "%.*s%s", (int)at, "x", word);
        assert_true(utf8_is_valid(err.text, strlen(err.text)));
        error_wrap(&err, "y");
        assert_true(utf8_is_valid(err.text, strlen(err.text)));
        error_errno(&err, ENOENT, "%.*s%s", (int)at, "z\xFF", word);
        assert_true(utf8_is_valid(err.text, strlen(err.text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_chain_reads_as_a_sentence),
        cmocka_unit_test(test_wrapping_keeps_the_code),
        cmocka_unit_test(test_a_long_chain_is_cut_and_ends),
        cmocka_unit_test(test_what_is_cut_inside_a_character_is_text_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
