// SPDX-License-Identifier: Apache-2.0
#include "base/sha1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_known_sums(void **state)
{
    static const struct {
        const char *text, *sum;
    } known[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        uint8_t sum[SHA1_SIZE];
        char hex[2 * SHA1_SIZE + 1];

        sha1_of(known[i].text, strlen(known[i].text), sum);
        for (size_t k = 0; k < sizeof sum; k++)
            snprintf(hex + 2 * k, 3, "%02x", sum[k]);
        assert_string_equal(hex, known[i].sum);
    }
}

/* The sum of the sums of "", "a", "aa" ... of up to 200 bytes: padding at every length. As Python's
 * hashlib has it. */
static void test_every_length_is_padded(void **state)
{
    static const uint8_t expected[SHA1_SIZE] = {0x8a, 0x18, 0xf0, 0x4b, 0xac, 0x7c, 0x86,
                                                0xcf, 0xcf, 0xfa, 0x6a, 0x93, 0xe5, 0xcb,
                                                0x21, 0xae, 0x01, 0x59, 0xde, 0xac};
    uint8_t sums[200 * SHA1_SIZE], sum[SHA1_SIZE];
    char text[200];
    (void)state;

    memset(text, 'a', sizeof text);
    for (size_t len = 0; len < sizeof text; len++)
        sha1_of(text, len, sums + len * SHA1_SIZE);
    sha1_of(sums, sizeof sums, sum);
    assert_memory_equal(sum, expected, sizeof sum);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_sums),
        cmocka_unit_test(test_every_length_is_padded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
