// SPDX-License-Identifier: Apache-2.0
#include "ctl/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_columns_are_as_wide_as_their_widest_cell(void **state)
{
    struct table t;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    (void)state;

    table_init(&t, (const char *const[]){"ID", "NAME", "STATE", NULL});
    table_add(&t, (const char *const[]){"0123", "käse", "running"});
    table_add(&t, (const char *const[]){"4", NULL, "gone"});
    table_print(&t, out);
    fclose(out);
    assert_string_equal(text, "ID    NAME  STATE\n"
                              "0123  käse  running\n"
                              "4           gone\n");
    free(text);
    table_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_as_wide_as_their_widest_cell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
