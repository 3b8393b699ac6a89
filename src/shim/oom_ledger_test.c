// SPDX-License-Identifier: Apache-2.0
#include "shim/oom_ledger.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

/* A pod with three containers; regular files stand for the kernel's. */
enum { CONTAINERS = 3 };

static struct {
    char dir[64];
    struct oom_ledger ledger;
    struct oom_entry entries[CONTAINERS];
} t;

static char *file_of(const char *name)
{
    return xasprintf("%s/%s", t.dir, name);
}

static void put(const char *name, int kills)
{
    AUTO_FREE char *path = file_of(name), *text = xasprintf("oom 9\noom_kill %d\n", kills);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    struct error err;

    assert_int_equal(fd_write_all(fd, text, strlen(text), &err), 0);
}

static const char *const NAMES[CONTAINERS] = {"a", "b", "c"};

static void add(int i)
{
    AUTO_FREE char *file = file_of(NAMES[i]), *pod = file_of("pod");

    oom_ledger_add(&t.ledger, &t.entries[i], file, pod);
}

/* Its counter was open, and systemd has taken it away. */
static void take_away(int i)
{
    AUTO_FREE char *file = file_of(NAMES[i]);

    unlink(file);
    fd_close(&t.entries[i].fd);
    t.entries[i].fd = open(t.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* cannot be read either */
}

static int set_up(void **state)
{
    (void)state;
    snprintf(t.dir, sizeof t.dir, "/tmp/oom-ledger-test.XXXXXX");
    assert_non_null(mkdtemp(t.dir));
    oom_ledger_init(&t.ledger);
    put("pod", 5); /* of before */
    for (int i = 0; i < CONTAINERS; i++) {
        put(NAMES[i], 0);
        add(i);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < CONTAINERS; i++) {
        AUTO_FREE char *file = file_of(NAMES[i]);

        oom_ledger_close(&t.entries[i]);
        unlink(file);
    }
    oom_ledger_fini(&t.ledger);
    AUTO_FREE char *pod = file_of("pod");
    unlink(pod);
    return rmdir(t.dir);
}

static void assert_kills(uint64_t a, uint64_t b, uint64_t c)
{
    oom_ledger_settle(&t.ledger);
    assert_int_equal(t.entries[0].kills, a);
    assert_int_equal(t.entries[1].kills, b);
    assert_int_equal(t.entries[2].kills, c);
}

static void test_what_the_pod_lost_before_is_nobodys(void **state)
{
    (void)state;
    take_away(0);
    assert_kills(0, 0, 0);
    assert_false(t.entries[0].may_have_more);
}

static void test_what_a_containers_own_count_tells_is_its_own(void **state)
{
    (void)state;
    put("b", 2);
    put("pod", 7);
    take_away(0);
    assert_kills(0, 2, 0);
    assert_false(t.entries[0].may_have_more);
}

static void test_the_rest_is_of_the_one_that_has_gone(void **state)
{
    (void)state;
    put("a", 1);
    put("b", 2);
    put("pod", 8);
    assert_kills(1, 2, 0);
    take_away(0);
    put("b", 3);
    put("pod", 12);
    assert_kills(4, 3, 0);
    assert_kills(4, 3, 0); /* and is given out once */
}

static void test_one_that_never_was_seen_is_one_that_has_gone(void **state)
{
    (void)state;
    take_away(2);
    fd_close(&t.entries[2].fd); /* its file is not there, either */
    put("pod", 6);
    assert_kills(0, 0, 1);
}

static void test_of_several_that_have_gone_each_may_have_lost(void **state)
{
    (void)state;
    take_away(0);
    take_away(1);
    put("pod", 6);
    assert_kills(0, 0, 0);
    assert_true(t.entries[0].may_have_more && t.entries[1].may_have_more);
    assert_false(t.entries[2].may_have_more);
    /* Who is through with is not asked any more. */
    oom_ledger_remove(&t.entries[0]);
    put("pod", 7);
    assert_kills(0, 1, 0);
}

static void test_one_that_is_seen_again_was_not_meant(void **state)
{
    (void)state;
    take_away(0);
    take_away(1);
    put("pod", 6);
    assert_kills(0, 0, 0);
    fd_close(&t.entries[1].fd);
    put("b", 0);
    assert_kills(0, 0, 0);
    assert_false(t.entries[1].may_have_more);
}

static void test_a_new_one_is_not_taken_for_those_of_before(void **state)
{
    (void)state;
    take_away(0);
    put("pod", 6);
    oom_ledger_close(&t.entries[1]);
    add(1);
    assert_int_equal(t.entries[0].kills, 1);
    take_away(1);
    assert_kills(1, 0, 0);
    assert_false(t.entries[1].may_have_more);
}

static void test_a_pod_whose_cgroup_comes_anew_begins_anew(void **state)
{
    AUTO_FREE char *pod = file_of("pod");

    (void)state;
    unlink(pod);
    fd_close(&t.ledger.fd);
    put("a", 1); /* without the pod's count a container's own goes on to tell */
    assert_kills(1, 0, 0);
    put("pod", 0);
    assert_kills(1, 0, 0);
    take_away(1);
    put("pod", 1);
    assert_kills(1, 1, 0);
}

#define IN_A_POD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_POD(test_what_the_pod_lost_before_is_nobodys),
        IN_A_POD(test_what_a_containers_own_count_tells_is_its_own),
        IN_A_POD(test_the_rest_is_of_the_one_that_has_gone),
        IN_A_POD(test_one_that_never_was_seen_is_one_that_has_gone),
        IN_A_POD(test_of_several_that_have_gone_each_may_have_lost),
        IN_A_POD(test_one_that_is_seen_again_was_not_meant),
        IN_A_POD(test_a_new_one_is_not_taken_for_those_of_before),
        IN_A_POD(test_a_pod_whose_cgroup_comes_anew_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
