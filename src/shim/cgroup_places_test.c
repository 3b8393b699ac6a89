// SPDX-License-Identifier: Apache-2.0
#include "shim/cgroup_places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"

static void put(struct buf *b, const char *text)
{
    struct error err;

    buf_init(b, 4096);
    assert_int_equal(buf_append(b, text, strlen(text) + 1, &err), 0);
    b->len--;
}

static struct cgroup_places make(const char *theirs, const char *ours)
{
    struct cgroup_places p = {.given = ""};

    put(&p.theirs, theirs);
    put(&p.ours, ours);
    return p;
}

/* How many lists there are; -1: they cannot all be found. */
static int count(const char *theirs, const char *ours)
{
    struct cgroup_places p = make(theirs, ours);
    AUTO_FINI(strv) lists = {0};
    struct error err;
    int failed = cgroup_places_lists(&p, &lists, &err);

    cgroup_places_fini(&p);
    assert_true(!failed || lists.len == 0);
    return failed ? -1 : (int)lists.len;
}

static void test_what_the_shim_shares_is_none_of_the_containers(void **state)
{
    (void)state;
    assert_int_equal(count("3:cpu,cpuacct:/a\n2:name=systemd:/\n0::/b\n",
                           "3:cpu,cpuacct:/a\n2:name=systemd:/\n0::/b\n"),
                     0);
}

static void test_one_that_is_not_found_fails_all(void **state)
{
    (void)state;
    assert_int_equal(count("3:memory:/there/is/none\n", "3:memory:/\n"), -1);
    assert_int_equal(count("3:memory:/there/is/none\n", ""), -1);
    assert_int_equal(count("", "3:memory:/\n"), -1);
    assert_int_equal(count("nonsense\n", "3:memory:/\n"), -1);
}

static void test_of_a_process_that_has_ended_nothing_is_known(void **state)
{
    struct cgroup_places p;
    AUTO_FINI(strv) lists = {0};
    struct error err;

    (void)state;
    cgroup_places_init(&p, "", 0); /* there is no such process */
    assert_null(cgroup_places_folder(&p, "memory", "/memory"));
    assert_int_equal(cgroup_places_lists(&p, &lists, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    cgroup_places_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_shim_shares_is_none_of_the_containers),
        cmocka_unit_test(test_one_that_is_not_found_fails_all),
        cmocka_unit_test(test_of_a_process_that_has_ended_nothing_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
