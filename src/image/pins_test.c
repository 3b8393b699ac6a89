// SPDX-License-Identifier: Apache-2.0
#include "image/pins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"

static void test_names_match_whole_or_by_asterisks(void **state)
{
    static const struct {
        const char *pattern;
        bool does;
    } table[] = {
        {"busybox", true},
        {"docker.io/library/busybox:latest", true},
        {"busybox:1", false},
        {"docker.io/library/*", true},
        {"docker.io/other/*", false},
        {"*busy*", true},
        {"*lazy*", false},
        {"*", true},
        {"**", true},
        {"", false},
        {"*box", false},
        {"Not A Name", false},
    };
    AUTO_FINI(strv) names = {0};
    (void)state;

    strv_add(&names, "docker.io/library/busybox:latest");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        AUTO_FINI(strv) patterns = {0};

        strv_add(&patterns, "none/such:1");
        strv_add(&patterns, table[i].pattern);
        if (pins_match(&patterns, &names) != table[i].does)
            fail_msg("%s", table[i].pattern);
    }
    assert_false(pins_match(NULL, &names));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_match_whole_or_by_asterisks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
