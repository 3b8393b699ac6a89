// SPDX-License-Identifier: Apache-2.0
#include "oci/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static Runtime__V1__LinuxContainerResources r;

static void expect(const char *words)
{
    struct error err = {0};
    int outcome = oci_limits_check(&r, &err);

    if (!words && outcome < 0)
        fail_msg("%s", err.text);
    if (words && (outcome == 0 || !strstr(err.text, words)))
        fail_msg("\"%s\" is not in \"%s\"", words, outcome ? err.text : "it was granted");
}

static int set_up(void **state)
{
    (void)state;
    runtime__v1__linux_container_resources__init(&r);
    return 0;
}

static void test_sets_are_lists_of_numbers(void **state)
{
    static const char *const good[] = {"", "0", "0-3", "0-3,7", "1,2,3-4", "3-3,0-65535"};
    static const char *const bad[] = {"a",     "0-",  "-1",    ",",
                                      "1,",    ",1",  "1--2",  "1 2",
                                      "0-3,x", "3-1", "65536", "0-99999999999999999999"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        r.cpuset_cpus = (char *)good[i];
        expect(NULL);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_FREE char *words =
            xasprintf("resources.cpuset_mems: \"%s\" is no list of numbers", bad[i]);

        r.cpuset_cpus = (char *)"";
        r.cpuset_mems = (char *)bad[i];
        expect(words);
    }
}

static void test_numbers_are_in_their_range(void **state)
{
    (void)state;
    r.cpu_quota = -1;
    r.memory_limit_in_bytes = -1;
    r.memory_swap_limit_in_bytes = -1;
    r.oom_score_adj = -1000;
    expect(NULL);
    r.cpu_quota = INT64_MIN;
    expect("resources.cpu_quota: -9223372036854775808 is out of range");
    r.cpu_quota = 999;
    expect("resources.cpu_quota: 999 is less than 1000 microseconds");
    r.cpu_quota = 1000;
    r.cpu_period = 1000;
    expect(NULL);
    r.cpu_period = 1000 * 1000 + 1;
    expect("resources.cpu_period: 1000001 is not from 1000 to 1000000 microseconds");
    r.cpu_period = 999;
    expect("resources.cpu_period: 999 is not");
    r.cpu_period = r.cpu_quota = 0;
    r.memory_limit_in_bytes = 100;
    r.memory_swap_limit_in_bytes = 100;
    expect(NULL);
    r.memory_swap_limit_in_bytes = 99;
    expect("resources.memory_swap_limit_in_bytes: 99 is less than memory_limit_in_bytes");
}

static void test_names_are_those_of_the_kernel(void **state)
{
    static const char *const good[] = {"2MB", "1GB", "64KB", "16B"};
    static const char *const bad[] = {"", "MB", "2", "2M", "2 MB", "2TB", "../x"};
    Runtime__V1__HugepageLimit limit = RUNTIME__V1__HUGEPAGE_LIMIT__INIT, *limits[] = {&limit};
    Runtime__V1__LinuxContainerResources__UnifiedEntry
        file = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__UNIFIED_ENTRY__INIT,
        *files[] = {&file};

    (void)state;
    r.hugepage_limits = limits;
    r.n_hugepage_limits = 1;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        limit.page_size = (char *)good[i];
        expect(NULL);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        limit.page_size = (char *)bad[i];
        expect("is no size");
    }
    r.n_hugepage_limits = 0;
    r.unified = files;
    r.n_unified = 1;
    file.key = (char *)"hugetlb.2MB.max";
    expect(NULL);
    file.key = (char *)"memory/max";
    expect("resources.unified: \"memory/max\" is no cgroup file");
    file.key = (char *)"..";
    expect("is no cgroup file");
    file.key = (char *)"memory";
    expect("is no cgroup file");
}

#define WITH(test) cmocka_unit_test_setup(test, set_up)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_sets_are_lists_of_numbers),
        WITH(test_numbers_are_in_their_range),
        WITH(test_names_are_those_of_the_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
