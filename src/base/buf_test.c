// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_it_grows_to_its_maximum_and_no_further(void **state)
{
    struct buf b = BUF(1000);
    struct error err;
    char block[500] = {1};

    (void)state;
    assert_int_equal(buf_append(&b, block, sizeof block, &err), 0);
    assert_int_equal(buf_append(&b, block, sizeof block, &err), 0);
    assert_int_equal(buf_append(&b, block, 1, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_int_equal(b.len, 1000);
    buf_fini(&b);
}

static void test_it_is_always_a_string(void **state)
{
    struct buf b = BUF(100);
    struct error err;
    char *text;

    (void)state;
    assert_int_equal(buf_printf(&b, &err, "%s-%d", "a", 7), 0);
    assert_string_equal(b.data, "a-7");
    buf_consume(&b, 2);
    assert_string_equal(b.data, "7");
    text = buf_take(&b);
    assert_string_equal(text, "7");
    free(text);
    text = buf_take(&b);
    assert_string_equal(text, "");
    free(text);
}

static void test_reserved_bytes_count_when_they_are_added(void **state)
{
    struct buf b = BUF(100);
    struct error err;
    char *at = buf_reserve(&b, 10, &err);

    (void)state;
    assert_non_null(at);
    memcpy(at, "hello", 5);
    buf_added(&b, 5);
    assert_string_equal(b.data, "hello");
    assert_null(buf_reserve(&b, SIZE_MAX, &err));
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_grows_to_its_maximum_and_no_further),
        cmocka_unit_test(test_it_is_always_a_string),
        cmocka_unit_test(test_reserved_bytes_count_when_they_are_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
