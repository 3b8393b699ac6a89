// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "os/call_filter.h"
#include "os/privilege.h"

enum { DONE = 42, FAILED = 43 };

static const int calls[] = {SYS_shutdown};
static const uint32_t families[] = {AF_UNIX};

static void tell(const char *call)
{
    if (write(STDOUT_FILENO, call, strlen(call)) < 0)
        _exit(FAILED);
}

/* Does it behind the filter, in a process of its own; returns its status, and what it said. */
static int behind(bool (*deed)(void), char said[64])
{
    const struct call_filter filter = {calls, COUNT_OF(calls), families, COUNT_OF(families), tell};
    struct error err;
    int ends[2], status;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        if (privilege_keep(NULL, 0, &err) < 0 || call_filter_enter(&filter, &err) < 0)
            _exit(FAILED);
        _exit(deed() ? DONE : FAILED);
    }
    close(ends[1]);
    memset(said, 0, 64);
    assert_true(fd_read_full(ends[0], said, 63, &err) >= 0);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *nothing(void *data)
{
    return data;
}

static bool use_what_is_listed(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    shutdown(fd, SHUT_WR);
    return fd >= 0 && close(fd) == 0;
}

static bool make_a_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

static bool make_a_process(void)
{
    return fork() >= 0;
}

static bool execute(void)
{
    return execl("/bin/true", "true", NULL) == 0;
}

static bool make_another_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool listen_somewhere(void)
{
    return listen(STDIN_FILENO, 1) < 0;
}

static bool do_what_has_no_name(void)
{
    return syscall(SYS_sethostname, "x", 1) == 0;
}

static void *listen_beside(void *data)
{
    listen_somewhere();
    return data;
}

static bool listen_on_a_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, listen_beside, NULL) == 0 &&
           pthread_join(thread, NULL) == 0;
}

static void test_what_is_listed_can_be_done(void **state)
{
    char said[64];

    (void)state;
    assert_int_equal(behind(use_what_is_listed, said), DONE);
    assert_int_equal(behind(make_a_thread, said), DONE);
    assert_string_equal(said, "");
}

static void test_what_is_not_ends_the_process_and_is_named(void **state)
{
    static const struct {
        bool (*deed)(void);
        const char *name;
    } cases[] = {
        {make_a_process, "clone"},       {execute, "execve"},
        {make_another_socket, "socket"}, {listen_somewhere, "listen"},
        {listen_on_a_thread, "listen"},
    };
    char said[64], number[16];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(behind(cases[i].deed, said), EXIT_FAILURE);
        assert_string_equal(said, cases[i].name);
    }
    assert_int_equal(behind(do_what_has_no_name, said), EXIT_FAILURE);
    snprintf(number, sizeof number, "%d", SYS_sethostname);
    assert_string_equal(said, number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_listed_can_be_done),
        cmocka_unit_test(test_what_is_not_ends_the_process_and_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
