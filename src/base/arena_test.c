// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <cri.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_memory_is_zero_and_aligned(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 1 << 20);
    for (size_t size = 1; size < 20000; size = size * 3 + 1) {
        char *p = arena_alloc(&a, size);

        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 'x', size);
    }
    assert_string_equal(arena_printf(&a, "%d %s", 5, "x"), "5 x");
    arena_fini(&a);
}

static void note(void *object)
{
    ++*(int *)object;
}

static void test_deferred_calls_are_made_at_the_end(void **state)
{
    struct arena a;
    int calls = 0;

    (void)state;
    arena_init(&a, 1 << 20);
    arena_defer(&a, note, &calls);
    arena_defer(&a, note, &calls);
    assert_int_equal(calls, 0);
    arena_fini(&a);
    assert_int_equal(calls, 2);
}

static void test_a_message_that_does_not_fit_is_refused(void **state)
{
    Runtime__V1__VersionRequest request = RUNTIME__V1__VERSION_REQUEST__INIT;
    unsigned char bytes[4096];
    char text[3000];
    struct error err;
    struct arena a;
    size_t len;

    (void)state;
    memset(text, 'v', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    request.version = text;
    len = protobuf_c_message_pack(&request.base, bytes);
    arena_init(&a, 1000);
    assert_null(arena_unpack(&a, &runtime__v1__version_request__descriptor, bytes, len, &err));
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    arena_fini(&a);
    arena_init(&a, 1 << 20);
    assert_non_null(arena_unpack(&a, &runtime__v1__version_request__descriptor, bytes, len, &err));
    assert_null(arena_unpack(&a, &runtime__v1__version_request__descriptor, "\xff", 1, &err));
    assert_int_equal(err.code, ERROR_INVALID);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_zero_and_aligned),
        cmocka_unit_test(test_deferred_calls_are_made_at_the_end),
        cmocka_unit_test(test_a_message_that_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
