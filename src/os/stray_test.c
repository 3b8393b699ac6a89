// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/stray.h"

#define IS(literal) stray_is(literal, sizeof literal - 1, "/r", "c1")

static void test_a_run_for_the_container_is_one(void **state)
{
    (void)state;
    assert_true(IS("crun\0--root\0/r\0--log\0/l\0run\0--detach\0c1\0"));
    assert_true(IS("/bin/sh\0/wrapper\0--root\0/r\0create\0c1\0"));
}

static void test_others_are_not(void **state)
{
    (void)state;
    assert_false(IS("crun\0--root\0/r\0run\0c2\0"));
    assert_false(IS("crun\0--root\0/other\0run\0c1\0"));
    assert_false(IS("crun\0--log\0/r\0run\0c1\0"));
    assert_false(IS("crun\0--root\0/r\0run\0c1\0more\0"));
    assert_false(IS("crun\0--root\0/r\0delete\0--force\0c1\0"));
    assert_false(IS("sleep\0c1\0"));
}

static void test_what_is_no_command_line_is_not(void **state)
{
    (void)state;
    assert_false(stray_is(NULL, 0, "/r", "c1"));
    assert_false(stray_is("c1", 2, "/r", "c1"));
    assert_false(IS("\0\0"));
}

/* A shell with those words, and a child of its own that has them too. Both wait for what never
 * comes. */
static pid_t start(const char *root, const int never[2])
{
    int ends[2];
    pid_t pid;
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        dup2(never[0], 0);
        dup2(ends[1], 1);
        close(never[1]);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/sh", "sh", "-c", "exec 3<&0; (read word <&3) & echo; read word <&3", "crun",
              "--root", root, "run", "c1", NULL);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void test_they_are_ended_and_others_live(void **state)
{
    int never[2], status;
    pid_t one, other;
    (void)state;

    assert_int_equal(pipe(never), 0);
    one = start("/stray-test", never);
    other = start("/other-stray-test", never);

    assert_true(stray_end("/stray-test", "c1"));
    assert_int_equal(waitpid(one, &status, 0), one);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(waitpid(other, &status, WNOHANG), 0);
    assert_true(stray_end("/other-stray-test", "c1"));
    assert_int_equal(waitpid(other, &status, 0), other);
    close(never[0]);
    close(never[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_for_the_container_is_one),
        cmocka_unit_test(test_others_are_not),
        cmocka_unit_test(test_what_is_no_command_line_is_not),
        cmocka_unit_test(test_they_are_ended_and_others_live),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
