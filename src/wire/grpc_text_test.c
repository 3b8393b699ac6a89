// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_a_timeout_is_digits_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        {"0n", 0},
        {"1n", 1},
        {"250u", 250000},
        {"99999999m", INT64_C(99999999000000)},
        {"30S", INT64_C(30000000000)},
        {"2M", INT64_C(120000000000)},
        {"1H", INT64_C(3600000000000)},
        {"99999999H", INT64_MAX},
        {"00000001S", INT64_C(1000000000)},
    };
    struct error err;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t ns = -1;

        assert_int_equal(grpc_text_parse_timeout(good[i].text, &ns, &err), 0);
        assert_int_equal(ns, good[i].ns);
    }
}

static void test_other_timeouts_are_refused(void **state)
{
    static const char *const bad[] = {"",    "1",   "S",   "1s",  "1h",   "-1S",        "+1S",
                                      " 1S", "1S ", "1 S", "1SS", "1.5S", "123456789n", "0x1S"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct error err = {0};
        int64_t ns = 7;

        assert_int_equal(grpc_text_parse_timeout(bad[i], &ns, &err), -1);
        assert_int_equal(err.code, ERROR_INTERNAL);
        assert_int_equal(ns, 7);
    }
}

static void test_a_formatted_timeout_is_not_shorter(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {-5, "0n"},
        {0, "0n"},
        {99999999, "99999999n"},
        {100000000, "100000u"},
        {100000001, "100001u"},
        {INT64_C(1000000000000), "1000000m"},
        {INT64_MAX, "2562048H"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[GRPC_TEXT_TIMEOUT_SIZE];
        struct error err;
        int64_t back;

        grpc_text_format_timeout(text, cases[i].ns);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(grpc_text_parse_timeout(text, &back, &err), 0);
        assert_true(back >= cases[i].ns);
    }
}

static void test_messages_survive_percent_encoding(void **state)
{
    static const struct {
        const char *plain;
        const char *encoded;
    } cases[] = {
        {"", ""},
        {"plain ~text!", "plain ~text!"},
        {"100%", "100%25"},
        {"a\nb\tc", "a%0Ab%09c"},
        {"Gerät „x“", "Ger%C3%A4t %E2%80%9Ex%E2%80%9C"},
        {"\x7f\xff", "%7F%FF"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[GRPC_TEXT_MESSAGE_SIZE];

        grpc_text_encode(text, cases[i].plain);
        assert_string_equal(text, cases[i].encoded);
        grpc_text_decode(text, strlen(text));
        assert_string_equal(text, cases[i].plain);
    }
}

static void test_decoding_keeps_what_is_not_encoded(void **state)
{
    static const char *const cases[][2] = {
        {"%", "%"},   {"%4", "%4"},    {"%zz", "%zz"}, {"%4g1", "%4g1"},
        {"%41", "A"}, {"%e4", "\xe4"}, {"a%", "a%"},   {"%%41", "%A"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[8];

        snprintf(text, sizeof text, "%s", cases[i][0]);
        grpc_text_decode(text, strlen(text));
        assert_string_equal(text, cases[i][1]);
    }
}

static void test_the_longest_message_fits(void **state)
{
    char plain[ERROR_TEXT_MAX], text[GRPC_TEXT_MESSAGE_SIZE];
    (void)state;

    memset(plain, '%', sizeof plain - 1);
    plain[sizeof plain - 1] = '\0';
    grpc_text_encode(text, plain);
    assert_int_equal(strlen(text), 3 * (ERROR_TEXT_MAX - 1));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_timeout_is_digits_and_a_unit),
        cmocka_unit_test(test_other_timeouts_are_refused),
        cmocka_unit_test(test_a_formatted_timeout_is_not_shorter),
        cmocka_unit_test(test_messages_survive_percent_encoding),
        cmocka_unit_test(test_decoding_keeps_what_is_not_encoded),
        cmocka_unit_test(test_the_longest_message_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
