// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { MANY = 5000 };

static const char *key_of(int i)
{
    static char text[16];

    snprintf(text, sizeof text, "key%d", i);
    return text;
}

static void *value_of(int i)
{
    return (void *)(uintptr_t)(i + 1);
}

static void test_what_was_put_is_found_until_it_is_removed(void **state)
{
    struct map m = {0};

    (void)state;
    assert_null(map_find(&m, "x"));
    assert_null(map_remove(&m, "x"));
    for (int i = 0; i < MANY; i++)
        assert_null(map_put(&m, key_of(i), value_of(i)));
    assert_int_equal(m.len, MANY);
    for (int i = 0; i < MANY; i += 3)
        assert_ptr_equal(map_remove(&m, key_of(i)), value_of(i));
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(map_find(&m, key_of(i)), i % 3 ? value_of(i) : NULL);
    assert_ptr_equal(map_put(&m, key_of(1), value_of(9)), value_of(1));
    assert_ptr_equal(map_find(&m, key_of(1)), value_of(9));
    map_fini(&m);
}

static void test_a_walk_sees_each_entry_once(void **state)
{
    struct map m = {0};
    const struct map_slot *slot;
    uintptr_t sum = 0;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        map_put(&m, key_of(i), value_of(i));
    for (size_t at = 0; (slot = map_next(&m, &at)); n++)
        sum += (uintptr_t)slot->value;
    assert_int_equal(n, 100);
    assert_int_equal(sum, 5050);
    map_fini(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_is_found_until_it_is_removed),
        cmocka_unit_test(test_a_walk_sees_each_entry_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
