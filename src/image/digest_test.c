// SPDX-License-Identifier: Apache-2.0
#include "image/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32

static void test_parse_takes_the_known_algorithms(void **state)
{
    static const struct {
        const char *text;
        enum digest_algorithm algorithm;
    } good[] = {
        {"sha256:" HEX64, DIGEST_SHA256},
        {"sha384:" HEX64 HEX32, DIGEST_SHA384},
        {"sha512:" HEX64 HEX64, DIGEST_SHA512},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        char digest[DIGEST_SIZE];
        struct error err;

        assert_int_equal(digest_parse(good[i].text, digest, &err), 0);
        assert_string_equal(digest, good[i].text);
        assert_int_equal(digest_algorithm_of(digest), good[i].algorithm);
        assert_string_equal(digest_hex(digest), good[i].text + 7);
    }
}

static void test_parse_refuses_all_else(void **state)
{
    static const char *const bad[] = {
        "",
        "sha256",
        "sha256:",
        "sha256:" HEX32,
        "sha256:" HEX64 "0",
        "sha256:" HEX64 "\n",
        "sha256:" HEX32 "0123456789ABCDEF0123456789abcdef",
        "sha512:" HEX64,
        "md5:" HEX32,
        "sha256:../../../../../../../../../../../../../../../../../../../etc/passwd",
        "SHA256:" HEX64,
        HEX64,
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char digest[DIGEST_SIZE] = "untouched";
        struct error err;

        assert_int_equal(digest_parse(bad[i], digest, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_string_equal(digest, "untouched");
        assert_false(digest_is_valid(bad[i]));
    }
    assert_false(digest_is_valid(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_takes_the_known_algorithms),
        cmocka_unit_test(test_parse_refuses_all_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
