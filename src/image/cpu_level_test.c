// SPDX-License-Identifier: Apache-2.0
#include "image/cpu_level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_it_is_the_level_that_the_compiler_finds(void **state)
{
    int level = 1;
    (void)state;

#if defined __x86_64__ && !defined __clang__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v2"))
        level = 2;
    if (__builtin_cpu_supports("x86-64-v3"))
        level = 3;
    if (__builtin_cpu_supports("x86-64-v4"))
        level = 4;
#else
    level = cpu_level();
    assert_in_range(level, 1, 4);
#endif
    assert_int_equal(cpu_level(), level);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_is_the_level_that_the_compiler_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
