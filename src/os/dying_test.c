// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/dying.h"

#define STAT(name, state, flags, signal)                                                           \
    "7 (" name ") " state " 1 7 7 0 -1 " flags                                                     \
    " 1 0 0 0 1 1 0 0 20 0 4 0 900 1000 10 18446744073709551615 1 1 1 0 0 " signal " 0 0 0\n"

static void test_who_has_ended_or_is_about_to_is_dying(void **state)
{
    (void)state;
    assert_true(dying_is_stat(STAT("berthd", "Z", "0", "0")));
    assert_true(dying_is_stat(STAT("berthd", "D", "4194628", "0"))); /* on its way out */
    assert_true(dying_is_stat(STAT("berthd", "D", "4194624", "256")));
    assert_true(dying_is_stat(STAT("a) R (b", "D", "4194624", "256")));
}

static void test_others_are_not(void **state)
{
    (void)state;
    assert_false(dying_is_stat(STAT("berthd", "S", "4194624", "0")));
    assert_false(dying_is_stat(STAT("berthd", "D", "4194624", "16384"))); /* SIGTERM */
    assert_false(dying_is_stat(STAT("x) Z", "S", "4194624", "0")));
    assert_false(dying_is_stat(""));
    assert_false(dying_is_stat("7 (berthd)"));
    assert_false(dying_is_stat("7 (berthd) D 1"));
}

static void test_processes_are_told_apart(void **state)
{
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        for (;;)
            pause();
    assert_false(dying_is(getpid()));
    assert_false(dying_is(pid));
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(dying_is(pid));
    waitpid(pid, NULL, 0);
    assert_false(dying_is(pid));
    assert_false(dying_is(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_ended_or_is_about_to_is_dying),
        cmocka_unit_test(test_others_are_not),
        cmocka_unit_test(test_processes_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
