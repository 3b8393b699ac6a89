// SPDX-License-Identifier: Apache-2.0
#include "shim/container_cgroup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/fd.h"

static int make_file(const char *counters)
{
    int fd = memfd_create("counters", MFD_CLOEXEC);
    struct error err;

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, counters, strlen(counters), &err), 0);
    return fd;
}

static bool sees_oom(const char *counters)
{
    struct container_cgroup g = CONTAINER_CGROUP_NONE;
    bool saw;

    g.oom.fd = make_file(counters);
    saw = container_cgroup_saw_oom(&g, false);
    container_cgroup_close(&g);
    return saw;
}

static void test_memory_events_of_version_2(void **state)
{
    (void)state;
    assert_false(sees_oom("low 0\nhigh 9\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n"));
    assert_true(sees_oom("low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n"));
    assert_true(sees_oom("low 0\nhigh 0\nmax 12\noom 1\noom_kill 17\noom_group_kill 1\n"));
    /* The kernel gave up, and a system call failed: nobody was killed. */
    assert_false(sees_oom("low 0\nhigh 0\nmax 12\noom 5\noom_kill 0\n"));
}

static void test_memory_oom_control_of_version_1(void **state)
{
    (void)state;
    assert_false(sees_oom("oom_kill_disable 1\nunder_oom 1\noom_kill 0\n"));
    assert_true(sees_oom("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"));
    assert_false(sees_oom("oom_kill_disable 1\nunder_oom 0\n")); /* kernels before 4.13 */
}

static void test_what_cannot_be_read_is_no_kill(void **state)
{
    struct container_cgroup none = CONTAINER_CGROUP_NONE;

    (void)state;
    assert_false(container_cgroup_saw_oom(&none, true));
    assert_false(sees_oom(""));
    assert_false(sees_oom("oom_kill"));
    assert_false(sees_oom("oom_kills 4\n"));
}

static void test_what_is_not_certain_is_as_likely_as_the_caller_says(void **state)
{
    struct container_cgroup g = CONTAINER_CGROUP_NONE;

    (void)state;
    g.oom.may_have_more = true;
    assert_true(container_cgroup_saw_oom(&g, true));
    assert_false(container_cgroup_saw_oom(&g, false));
    g.oom.fd = make_file("oom_kill 0\n"); /* it is certain */
    assert_false(container_cgroup_saw_oom(&g, true));
    container_cgroup_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_events_of_version_2),
        cmocka_unit_test(test_memory_oom_control_of_version_1),
        cmocka_unit_test(test_what_cannot_be_read_is_no_kill),
        cmocka_unit_test(test_what_is_not_certain_is_as_likely_as_the_caller_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
