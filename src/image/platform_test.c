// SPDX-License-Identifier: Apache-2.0
#include "image/platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static struct platform parsed(const char *text)
{
    struct platform p;
    struct error err;

    if (platform_parse(text, &p, &err) < 0)
        fail_msg("%s", err.text);
    return p;
}

static void test_names_are_normalised(void **state)
{
    static const char *const table[][2] = {
        {"linux/x86_64", "linux/amd64"},    {"Linux/AMD64", "linux/amd64"},
        {"linux/amd64/v1", "linux/amd64"},  {"linux/amd64/v3", "linux/amd64/v3"},
        {"linux/i386", "linux/386"},        {"linux/aarch64", "linux/arm64"},
        {"linux/arm64/v8", "linux/arm64"},  {"linux/arm64/8", "linux/arm64"},
        {"linux/arm", "linux/arm/v7"},      {"linux/armhf", "linux/arm/v7"},
        {"linux/armel", "linux/arm/v6"},    {"linux/arm/5", "linux/arm/v5"},
        {"linux/riscv64", "linux/riscv64"}, {"macos/arm64", "darwin/arm64"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct platform p = parsed(table[i][0]);
        char text[PLATFORM_TEXT_SIZE];

        platform_format(&p, text);
        assert_string_equal(text, table[i][1]);
    }
}

static void test_rank_orders_what_runs(void **state)
{
    /* best first, all on the host in front */
    static const char *const hosts[][7] = {
        {"linux/amd64", "linux/amd64", "linux/386", NULL},
        {"linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386", NULL},
        {"linux/arm64", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6",
         "linux/arm/v5", NULL},
        {"linux/arm64/v8.2", "linux/arm64/v8.2", "linux/arm64/v8.1", "linux/arm64", "linux/arm/v7",
         NULL},
        {"linux/arm64/v9", "linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64", NULL},
        {"linux/arm", "linux/arm", "linux/arm/v6", "linux/arm/v5", NULL},
        {"linux/riscv64", "linux/riscv64", NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        struct platform host = parsed(hosts[i][0]);
        int last = -1;

        for (size_t j = 1; hosts[i][j]; j++) {
            struct platform image = parsed(hosts[i][j]);
            int rank = platform_rank(&host, &image);

            if (rank <= last)
                fail_msg("%s on %s: %d", hosts[i][j], hosts[i][0], rank);
            last = rank;
        }
    }
}

static void test_rank_refuses_what_does_not_run(void **state)
{
    static const char *const table[][2] = {
        {"linux/amd64", "linux/amd64/v2"},     {"linux/amd64", "linux/arm64"},
        {"linux/amd64", "windows/amd64"},      {"linux/amd64", "unknown/unknown"},
        {"linux/arm64", "linux/arm64/v8.1"},   {"linux/arm64", "linux/arm/v9"},
        {"linux/arm/v6", "linux/arm/v7"},      {"linux/arm", "linux/arm64"},
        {"linux/arm", "linux/arm/v4"},         {"linux/riscv64", "linux/riscv64/rva23"},
        {"linux/386", "linux/amd64"},          {"linux/arm64", "linux/arm64/v8x"},
        {"linux/amd64/v3", "linux/amd64/v-1"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct platform host = parsed(table[i][0]), image = parsed(table[i][1]);

        if (platform_rank(&host, &image) != -1)
            fail_msg("%s on %s", table[i][1], table[i][0]);
    }
}

static void test_rank_refuses_features_of_other_systems(void **state)
{
    struct platform host = parsed("linux/amd64"), image = host;
    (void)state;

    assert_int_equal(platform_rank(&host, &image), 0);
    image.wants_features = true;
    assert_int_equal(platform_rank(&host, &image), -1);
}

static void test_parse_refuses_what_is_no_platform(void **state)
{
    static const char *const bad[] = {"", "linux", "a/b/c/d",
                                      "linux/0123456789012345678901234567890123456789"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct platform p;
        struct error err;

        assert_int_equal(platform_parse(bad[i], &p, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_the_host_runs_itself(void **state)
{
    struct platform host;
    (void)state;

    platform_host(&host);
    assert_int_equal(platform_rank(&host, &host), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_normalised),
        cmocka_unit_test(test_rank_orders_what_runs),
        cmocka_unit_test(test_rank_refuses_what_does_not_run),
        cmocka_unit_test(test_rank_refuses_features_of_other_systems),
        cmocka_unit_test(test_parse_refuses_what_is_no_platform),
        cmocka_unit_test(test_the_host_runs_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
