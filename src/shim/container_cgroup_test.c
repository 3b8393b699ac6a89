// SPDX-License-Identifier: Apache-2.0
#include "shim/container_cgroup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

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

/* In a folder like that of a cgroup. */
struct fake {
    char folder[64];
    struct container_cgroup g;
};

static void fake_init(struct fake *f, bool is_v2)
{
    f->g = CONTAINER_CGROUP_NONE;
    snprintf(f->folder, sizeof f->folder, "/tmp/berth-cgroup-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->g.is_v2 = is_v2;
    f->g.procs = xstrdup(f->folder);
    f->g.freezer = is_v2 ? NULL : xstrdup(f->folder);
}

static void fake_fini(struct fake *f)
{
    struct error err;

    assert_int_equal(file_remove_tree(AT_FDCWD, f->folder, &err), 0);
    container_cgroup_close(&f->g);
}

static void fake_put(struct fake *f, const char *file, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", f->folder, file);
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), 0600, &err), 0);
}

static bool is_frozen(bool is_v2, const char *file, const char *text)
{
    AUTO_CLOSE int folder = -1;
    struct fake f;
    struct error err;
    bool found;

    fake_init(&f, is_v2);
    fake_put(&f, file, text);
    if (is_v2)
        folder = container_cgroup_open_folder(&f.g, getpid(), &err);
    assert_true(!is_v2 || folder >= 0);
    found = container_cgroup_is_frozen(&f.g, folder);
    fake_fini(&f);
    return found;
}

static void test_frozen_is_who_is_about_to_be(void **state)
{
    struct container_cgroup none = CONTAINER_CGROUP_NONE;

    (void)state;
    assert_true(is_frozen(false, "freezer.state", "FROZEN\n"));
    assert_true(is_frozen(false, "freezer.state", "FREEZING\n"));
    assert_false(is_frozen(false, "freezer.state", "THAWED\n"));
    assert_true(is_frozen(true, "cgroup.freeze", "1\n"));
    assert_false(is_frozen(true, "cgroup.freeze", "0\n"));
    assert_false(is_frozen(true, "other", "1\n"));
    assert_false(container_cgroup_is_frozen(&none, -1));
}

static void test_one_that_hands_on_its_controllers_takes_no_processes(void **state)
{
    struct fake f;
    struct error err;
    int folder;

    (void)state;
    fake_init(&f, true);
    fake_put(&f, "cgroup.subtree_control", "\n");
    folder = container_cgroup_open_folder(&f.g, getpid(), &err);
    assert_true(folder >= 0);
    fd_close(&folder);
    fake_put(&f, "cgroup.subtree_control", "memory pids\n");
    assert_int_equal(container_cgroup_open_folder(&f.g, getpid(), &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND); /* we are not below it */
    fake_fini(&f);
    f.g = CONTAINER_CGROUP_NONE;
    assert_int_equal(container_cgroup_open_folder(&f.g, getpid(), &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_events_of_version_2),
        cmocka_unit_test(test_memory_oom_control_of_version_1),
        cmocka_unit_test(test_what_cannot_be_read_is_no_kill),
        cmocka_unit_test(test_what_is_not_certain_is_as_likely_as_the_caller_says),
        cmocka_unit_test(test_frozen_is_who_is_about_to_be),
        cmocka_unit_test(test_one_that_hands_on_its_controllers_takes_no_processes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
