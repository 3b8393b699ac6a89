// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup_attach.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/own.h"

static void load_groups(struct buf *out)
{
    struct error err;

    assert_int_equal(file_load(AT_FDCWD, "/proc/self/cgroup", out, &err), 0);
}

static void test_we_stay_where_we_are(void **state)
{
    AUTO_FINI(buf) before = BUF(65536), after = BUF(65536);
    struct error err;
    (void)state;

    load_groups(&before);
    if (geteuid() != 0 || !file_exists("/sys/fs/cgroup"))
        skip();
    assert_int_equal(cgroup_attach_stay(&err), 0);
    load_groups(&after);
    assert_string_equal(before.data, after.data);
}

static void test_it_is_done_beside_and_once_at_a_time(void **state)
{
    struct error err;
    struct cgroup_attach a = {.pool = pool_new(4, &err)};
    (void)state;

    assert_non_null(a.pool);
    for (int i = 0; i < 1000; i++)
        cgroup_attach_hasten(&a);
    pool_free(a.pool); /* waits for what is under way */
    assert_false(a.is_under_way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_we_stay_where_we_are),
        cmocka_unit_test(test_it_is_done_beside_and_once_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
