// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_what_is_encoded_decodes_in_any_pieces(void **state)
{
    uint8_t data[256];
    (void)state;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + (i >> 3));
    for (size_t len = 0; len <= sizeof data; len++) {
        AUTO_FREE uint8_t *exact = xmemdup(data, len);
        AUTO_FREE char *text = xmalloc(BASE64_LEN(len));
        size_t text_len = base64_encode(exact, len, text);

        assert_int_equal(text_len, BASE64_LEN(len));
        for (size_t step = 1; step < 9; step++) {
            struct base64_decoder d = {0};
            uint8_t out[sizeof data + 8];
            size_t n = 0;

            for (size_t at = 0; at < text_len; at += step) {
                int rc = base64_decode(&d, text + at, text_len - at < step ? text_len - at : step,
                                       out + n);

                assert_true(rc >= 0);
                n += (size_t)rc;
            }
            assert_true(base64_is_whole(&d));
            assert_int_equal(n, len);
            assert_memory_equal(out, data, len);
        }
    }
}

static void test_known_texts(void **state)
{
    static const struct {
        const char *data, *text;
    } known[] = {{"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xff\xef\xfe", "/+/+"}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        char text[8];

        assert_int_equal(base64_encode(known[i].data, strlen(known[i].data), text), 4);
        assert_memory_equal(text, known[i].text, 4);
    }
}

static void test_what_is_no_base64_is_refused(void **state)
{
    static const char *const bad[] = {
        "a b=", "ab-c", "ab_c", "=", "a===", "====", "ab==cdef", "ab=c", "ab=\n", "\x80"};
    static const char *const cut[] = {"a", "ab", "abc", "abcde", "ab="};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct base64_decoder d = {0};
        uint8_t out[16];

        assert_int_equal(base64_decode(&d, bad[i], strlen(bad[i]), out), -1);
    }
    for (size_t i = 0; i < COUNT_OF(cut); i++) {
        struct base64_decoder d = {0};
        uint8_t out[16];

        assert_true(base64_decode(&d, cut[i], strlen(cut[i]), out) >= 0);
        assert_false(base64_is_whole(&d));
    }
}

static void test_whole_texts(void **state)
{
    static const char *const bad[] = {"a", "abcde", "ab=", "ab=c", "====", "a b=", "Zm8=Zm8="};
    static const struct {
        const char *text, *data;
    } good[] = {{"", ""},       {"Zg==", "f"}, {"Zg", "f"},
                {"Zm8=", "fo"}, {"Zm8", "fo"}, {"Zm9v", "foo"}};
    AUTO_FREE char *encoded = base64_encode_text("fo", 2);
    size_t len = 7;
    (void)state;

    assert_string_equal(encoded, "Zm8=");
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        AUTO_FREE char *data = base64_decode_text(good[i].text, &len);

        assert_non_null(data);
        assert_int_equal(len, strlen(good[i].data));
        assert_string_equal(data, good[i].data);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_FREE char *data = base64_decode_text(bad[i], &len);

        if (data)
            fail_msg("%s was decoded", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_encoded_decodes_in_any_pieces),
        cmocka_unit_test(test_known_texts),
        cmocka_unit_test(test_what_is_no_base64_is_refused),
        cmocka_unit_test(test_whole_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
