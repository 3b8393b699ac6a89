// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "fixture.h"
#include "sandbox.pb-c.h"
#include "shim.pb-c.h"
#include "task.pb-c.h"

/* ---- logs ---- */

static int reopen(struct fixture *f, const char *id, struct error *err)
{
    Berth__Shim__V1__ReopenLogRequest request = BERTH__SHIM__V1__REOPEN_LOG_REQUEST__INIT;

    request.id = (char *)id;
    return fixture_call(f, "berth.shim.v1.Container.ReopenLog", &request.base, NULL, NULL, err);
}

static unsigned long count_numbers(const char *text, unsigned long next)
{
    static const char head[] = "stdout F ";

    for (const char *at = text; *at; at = strchr(at, '\n') + 1, next++) {
        assert_int_equal(strncmp(at, head, sizeof head - 1), 0);
        assert_int_equal(strtoul(at + sizeof head - 1, NULL, 10), next);
    }
    return next;
}

static void test_rotation_under_load_loses_nothing(void **state)
{
    enum { ROTATIONS = 20, LINES = 200000 };
    struct fixture *f = *state;
    const char *log = fixture_path(f, "logs/c1/0.log");
    unsigned long next = 0;
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("sh", "-c",
                                         "i=0; while [ $i -lt 200000 ]; do echo $i; i=$((i+1)); "
                                         "done")});
    for (int i = 0; i < ROTATIONS; i++) {
        usleep(5000);
        assert_int_equal(rename(log, arena_printf(&f->arena, "%s.%d", log, i)), 0);
        assert_int_equal(reopen(f, "c1", &err), 0);
    }
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    for (int i = 0; i < ROTATIONS; i++)
        next = count_numbers(fixture_records(f, arena_printf(&f->arena, "%s.%d", log, i)), next);
    assert_in_range(next, 1, LINES);
    assert_int_equal(count_numbers(fixture_log(f, "c1"), next), LINES);
}

static void close_stdin(struct fixture *f)
{
    Containerd__Task__V3__CloseIORequest request = CONTAINERD__TASK__V3__CLOSE_IOREQUEST__INIT;
    struct error err;

    request.id = (char *)"c1";
    request.stdin = true;
    assert_int_equal(fixture_call(f, "CloseIO", &request.base, NULL, NULL, &err), 0);
}

/* Until c1's shell has started its cat, and what it wrote before is read. */
static void await_cat(struct fixture *f)
{
    char *of_shell = arena_printf(&f->arena, "/proc/%d", fixture_pid(f, "c1"));
    int unread = 1;

    while (
        !*fixture_text(f, arena_printf(&f->arena, "%s/task/%s/children", of_shell, of_shell + 6)))
        usleep(10000);
    AUTO_CLOSE int pipe = open(arena_printf(&f->arena, "%s/fd/1", of_shell), O_RDONLY | O_CLOEXEC);
    while (ioctl(pipe, FIONREAD, &unread) == 0 && unread > 0)
        usleep(10000);
    assert_int_equal(unread, 0);
}

static void test_a_half_line_goes_into_the_old_file(void **state)
{
    struct fixture *f = *state;
    const char *log = fixture_path(f, "logs/c1/0.log");
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("sh", "-c", "printf half; cat; echo more"), .in = "hold"});
    await_cat(f);
    assert_int_equal(rename(log, fixture_path(f, "logs/c1/old")), 0);
    assert_int_equal(reopen(f, "c1", &err), 0);
    close_stdin(f);
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    assert_string_equal(fixture_log(f, "c1"), "stdout F more\n");
    assert_non_null(strstr(fixture_text(f, fixture_path(f, "logs/c1/old")), " stdout P half\n"));
}

static void test_a_terminal_is_logged_and_resized(void **state)
{
    Containerd__Task__V3__ResizePtyRequest resize = CONTAINERD__TASK__V3__RESIZE_PTY_REQUEST__INIT;
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("sh", "-c", "stty size; echo hi >&2"),
                                  .has_terminal = true};
    struct error err;

    assert_int_equal(fixture_create(f, "c1", &c, &err), 0);
    resize.id = (char *)"c1";
    resize.width = 123;
    resize.height = 45;
    assert_int_equal(fixture_call(f, "ResizePty", &resize.base, NULL, NULL, &err), 0);
    assert_int_equal(fixture_begin(f, "c1", &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    assert_string_equal(fixture_log(f, "c1"), "stdout F 45 123\nstdout F hi\n");
}

static void test_stdin_is_held_open_until_it_is_closed(void **state)
{
    struct fixture *f = *state;

    fixture_run(f, "c1",
                &(struct fixture_container){.args = FIXTURE_ARGS("sh", "-c", "cat; echo end"),
                                            .in = "hold"});
    usleep(100000);
    assert_int_equal(fixture_status(f, "c1"), 2);
    close_stdin(f);
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    assert_string_equal(fixture_log(f, "c1"), "stdout F end\n");
}

/* ---- execs ---- */

static void test_an_exec_has_the_streams_it_was_given(void **state)
{
    struct fixture *f = *state;
    int in[2], out[2];
    char text[64] = "";
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(fixture_exec(f, "c1", "e1",
                                  FIXTURE_ARGS("sh", "-c", "cat; echo err >&2; exit 9"),
                                  (int[]){in[0], out[1], out[1]}, false, &err),
                     0);
    close(in[0]);
    close(out[1]);
    assert_int_equal(fixture_begin_exec(f, "c1", "e1", &err), 0);
    assert_int_equal(write(in[1], "hello\n", 6), 6);
    close(in[1]);
    assert_int_equal(fd_read_full(out[0], text, sizeof text - 1, &err), 10);
    assert_string_equal(text, "hello\nerr\n");
    close(out[0]);
    assert_int_equal(fixture_wait(f, "c1", "e1"), 9);
    assert_int_equal(fixture_delete(f, "c1", "e1", &err), 0);
}

static void test_an_exec_that_cannot_start_says_why(void **state)
{
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(
        fixture_exec(f, "c1", "e1", FIXTURE_ARGS("nonsense"), (int[]){-1, -1, -1}, false, &err), 0);
    assert_int_equal(
        fixture_exec(f, "c1", "e1", FIXTURE_ARGS("true"), (int[]){-1, -1, -1}, false, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
    assert_int_equal(fixture_begin_exec(f, "c1", "e1", &err), -1);
    assert_non_null(strstr(err.text, "OCI runtime exec failed: "));
    assert_int_equal(fixture_delete(f, "c1", "e1", &err), 0);
}

static void test_a_hundred_quick_execs_leave_nothing_behind(void **state)
{
    struct fixture *f = *state;
    unsigned fds;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    fds = fixture_count_fds(f);
    for (int i = 0; i < 100; i++) {
        char id[16], code[8];

        snprintf(id, sizeof id, "e%d", i);
        snprintf(code, sizeof code, "exit %d", i);
        assert_int_equal(fixture_exec(f, "c1", id, FIXTURE_ARGS("sh", "-c", code),
                                      (int[]){-1, STDERR_FILENO, STDERR_FILENO}, false, &err),
                         0);
        assert_int_equal(fixture_begin_exec(f, "c1", id, &err), 0);
        assert_int_equal(fixture_wait(f, "c1", id), i);
        assert_int_equal(fixture_delete(f, "c1", id, &err), 0);
    }
    assert_int_equal(fixture_count_fds(f), fds);
    assert_int_equal(fixture_count_zombies(f), 0);
}

static void test_killing_an_exec_leaves_the_container_alone(void **state)
{
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(
        fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sleep", "100"), (int[]){-1, -1, -1}, false, &err),
        0);
    assert_int_equal(fixture_kill(f, "c1", "e1", SIGKILL, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
    assert_int_equal(fixture_begin_exec(f, "c1", "e1", &err), 0);
    assert_int_equal(fixture_delete(f, "c1", "e1", &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
    assert_int_equal(fixture_kill(f, "c1", "e1", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", "e1"), 128 + SIGKILL);
    assert_int_equal(fixture_kill(f, "c1", "e1", SIGKILL, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    assert_int_equal(fixture_status(f, "c1"), 2);
}

static void test_the_end_of_a_container_ends_its_execs_first(void **state)
{
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(
        fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sleep", "100"), (int[]){-1, -1, -1}, false, &err),
        0);
    assert_int_equal(fixture_begin_exec(f, "c1", "e1", &err), 0);
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
    assert_int_equal(fixture_wait(f, "c1", "e1"), 128 + SIGKILL);
}

static void read_until(int fd, const char *words)
{
    char text[4096];
    size_t len = 0;

    do {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        ssize_t n;

        assert_int_equal(poll(&polled, 1, 60 * 1000), 1);
        n = read(fd, text + len, sizeof text - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
        text[len] = '\0';
    } while (!strstr(text, words));
}

static void test_an_exec_with_a_terminal_is_relayed(void **state)
{
    struct fixture *f = *state;
    int in[2], out[2];
    char byte;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(
        fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sh"), (int[]){in[0], out[1], -1}, true, &err), 0);
    close(in[0]);
    close(out[1]);
    assert_int_equal(fixture_begin_exec(f, "c1", "e1", &err), 0);
    assert_int_equal(write(in[1], "echo 1$((1+1))3; exit 5\n", 24), 24);
    read_until(out[0], "123\r\n");
    assert_int_equal(fixture_wait(f, "c1", "e1"), 5);
    while (read(out[0], &byte, 1) > 0)
        ;
    close(in[1]);
    close(out[0]);
}

static const struct CMUnitTest tests[] = {
    FIXTURE_WITH_POD(test_rotation_under_load_loses_nothing),
    FIXTURE_WITH_POD(test_a_half_line_goes_into_the_old_file),
    FIXTURE_WITH_POD(test_a_terminal_is_logged_and_resized),
    FIXTURE_WITH_POD(test_stdin_is_held_open_until_it_is_closed),
    FIXTURE_WITH_POD(test_an_exec_has_the_streams_it_was_given),
    FIXTURE_WITH_POD(test_an_exec_that_cannot_start_says_why),
    FIXTURE_WITH_POD(test_a_hundred_quick_execs_leave_nothing_behind),
    FIXTURE_WITH_POD(test_killing_an_exec_leaves_the_container_alone),
    FIXTURE_WITH_POD(test_the_end_of_a_container_ends_its_execs_first),
    FIXTURE_WITH_POD(test_an_exec_with_a_terminal_is_relayed),
};

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, tests, COUNT_OF(tests));
}
