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
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "fixture.h"
#include "sandbox.pb-c.h"
#include "shim.pb-c.h"
#include "task.pb-c.h"

/* Each test has a shim of its own. The group runs once for every OCI runtime that works here. */
static const char *runtime;

static int start(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    fixture_start(f, runtime);
    *state = f;
    return 0;
}

static int start_with_pod(void **state)
{
    struct error err;

    start(state);
    if (fixture_create_pod(*state, &(struct fixture_pod){.hostname = "box"}, &err) < 0)
        fail_msg("%s", err.text);
    return 0;
}

static int stop(void **state)
{
    fixture_stop(*state);
    free(*state);
    return 0;
}

static void test_a_container_logs_and_leaves_an_exit_record(void **state)
{
    struct fixture *f = *state;
    struct exit_record record;
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("sh", "-c",
                                         "hostname; echo oops >&2; printf 'a\\r\\n\\nend'; exit 7")});
    assert_int_equal(fixture_wait(f, "c1", ""), 7);
    assert_int_equal(fixture_status(f, "c1"), 3);
    assert_int_equal(fixture_load_record(f, "c1", &record, &err), 0);
    assert_int_equal(record.status, 7);
    assert_false(record.oom_killed);
    const char *log = fixture_log(f, "c1");
    assert_non_null(strstr(log, "stdout F box\n"));
    assert_non_null(strstr(log, "stderr F oops\n"));
    assert_non_null(strstr(log, "stdout F a\nstdout F \n"));
    assert_non_null(strstr(log, "stdout P end\n"));
    assert_int_equal(fixture_delete(f, "c1", "", &err), 0);
    assert_int_equal(fixture_delete(f, "c1", "", &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

/* ---- failures of create and start ---- */

static void test_a_program_that_is_missing_fails_with_the_runtimes_words(void **state)
{
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("nonsense")};
    struct error err;

    assert_int_equal(fixture_create(f, "c1", &c, &err), -1);
    assert_int_equal(err.code, ERROR_UNKNOWN);
    assert_non_null(strstr(err.text, "OCI runtime create failed: "));
    assert_non_null(strstr(err.text, "executable file"));
    /* It is as if it had never been. */
    c.args = FIXTURE_ARGS("true");
    fixture_run(f, "c1", &c);
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
}

static void test_a_missing_runtime_is_named(void **state)
{
    struct fixture *f = *state;
    struct error err;

    f->runtime = "/no/such/runtime";
    assert_int_equal(
        fixture_create(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("true")}, &err),
        -1);
    assert_string_equal(err.text, "run OCI runtime /no/such/runtime: No such file or directory");
}

static void test_a_log_file_that_cannot_be_opened_fails_create(void **state)
{
    struct fixture *f = *state;
    struct error err;

    fclose(fopen(fixture_path(f, "logs"), "w"));
    assert_int_equal(
        fixture_create(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("true")}, &err),
        -1);
    assert_non_null(strstr(err.text, "/logs/c1"));
}

static void test_ids_states_and_limits_are_checked(void **state)
{
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("sleep", "100")};
    struct error err;

    assert_int_equal(fixture_begin(f, "c1", &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    fixture_run(f, "c1", &c);
    assert_int_equal(fixture_create(f, "c1", &c, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
    assert_int_equal(fixture_begin(f, "c1", &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
    assert_string_equal(err.text, "cannot start a running container");
    assert_int_equal(fixture_delete(f, "c1", "", &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
    assert_string_equal(err.text, "cannot delete a running process");
    assert_int_equal(fixture_kill(f, "c1", "", 99, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(fixture_create(f, "../c2", &c, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(fixture_call(f, "Checkpoint", NULL, NULL, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    assert_non_null(strstr(err.text, "Checkpoint"));
    assert_int_equal(fixture_call(f, "some.Service.Method", NULL, NULL, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    assert_non_null(strstr(err.text, "some.Service"));
}

/* ---- ends ---- */

static void test_a_signal_ends_with_128_and_its_number(void **state)
{
    struct fixture *f = *state;
    struct exit_record record;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(fixture_status(f, "c1"), 2);
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
    assert_int_equal(fixture_load_record(f, "c1", &record, &err), 0);
    assert_int_equal(record.status, 128 + SIGKILL);
    assert_false(record.oom_killed);
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_one_that_was_never_started_can_be_killed_or_deleted(void **state)
{
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("sleep", "100")};
    struct exit_record record;
    struct error err;

    assert_int_equal(fixture_create(f, "c1", &c, &err), 0);
    assert_int_equal(fixture_status(f, "c1"), 1);
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
    assert_int_equal(fixture_load_record(f, "c1", &record, &err), 0);
    assert_int_equal(fixture_create(f, "c2", &c, &err), 0);
    assert_int_equal(fixture_delete(f, "c2", "", &err), 0);
    assert_int_equal(fixture_delete(f, "c2", "", &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_the_oom_killer_is_seen(void **state)
{
    struct fixture *f = *state;
    struct exit_record record;
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){.args = FIXTURE_ARGS("tail", "/dev/zero"),
                                            .memory = 16 * 1024 * 1024});
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
    assert_int_equal(fixture_load_record(f, "c1", &record, &err), 0);
    assert_true(record.oom_killed);
}

static void test_outputs_that_somebody_keeps_open_do_not_hold_up_the_end(void **state)
{
    struct fixture *f = *state;
    struct error err;
    int64_t begun;
    char path[64];

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    snprintf(path, sizeof path, "/proc/%d/fd/1", fixture_pid(f, "c1"));
    AUTO_CLOSE int kept = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(kept >= 0);
    begun = clock_monotonic_ns();
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
    assert_in_range((clock_monotonic_ns() - begun) / CLOCK_NS_PER_MS, 1500, 5000);
}

/* ---- one PID namespace for all ---- */

static void test_a_shared_pid_namespace_is_cleared_when_the_first_process_ends(void **state)
{
    struct fixture *f = *state;
    struct error err;
    pid_t init;

    assert_int_equal(fixture_create_pod(f, &(struct fixture_pod){.shared_pid = true}, &err), 0);
    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("sh", "-c", "sleep 1000 & sleep 1000 & exit 3"),
                    .joins_pid = true});
    assert_int_equal(fixture_wait(f, "c1", ""), 3);
    fixture_run(f, "c2",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("sh", "-c", "cat /proc/1/comm; echo $$; kill 1; sleep 50"),
                    .joins_pid = true});
    for (int i = 0; i < 200 && !strstr(fixture_log(f, "c2"), "stdout F berth-init\n"); i++)
        usleep(10000);
    assert_non_null(strstr(fixture_log(f, "c2"), "stdout F berth-init\n"));
    /* Killing the init from inside, by SIGTERM, ends the pod and all in it. */
    init = fixture_wait(f, "c2", "");
    assert_int_equal(init, 128 + SIGKILL);
}

/* ---- the pod ---- */

static const char *pod_state(struct fixture *f)
{
    Containerd__Runtime__Sandbox__V1__SandboxStatusRequest request =
        CONTAINERD__RUNTIME__SANDBOX__V1__SANDBOX_STATUS_REQUEST__INIT;
    ProtobufCMessage *response;
    struct error err;

    assert_int_equal(
        fixture_call(f, "containerd.runtime.sandbox.v1.Sandbox.SandboxStatus", &request.base,
                     &containerd__runtime__sandbox__v1__sandbox_status_response__descriptor,
                     &response, &err),
        0);
    return ((Containerd__Runtime__Sandbox__V1__SandboxStatusResponse *)response)->state;
}

static void test_stopping_the_pod_ends_everything_and_says_so_afterwards(void **state)
{
    Containerd__Runtime__Sandbox__V1__StopSandboxRequest request =
        CONTAINERD__RUNTIME__SANDBOX__V1__STOP_SANDBOX_REQUEST__INIT;
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("sleep", "100")};
    struct exit_record record;
    struct error err;

    assert_string_equal(pod_state(f), "SANDBOX_READY");
    fixture_run(f, "c1", &c);
    fixture_run(f, "c2", &c);
    assert_int_equal(fixture_create(f, "c3", &c, &err), 0);
    assert_int_equal(fixture_call(f, "containerd.runtime.sandbox.v1.Sandbox.StopSandbox",
                                  &request.base, NULL, NULL, &err),
                     0);
    assert_int_equal(fixture_load_record(f, "c1", &record, &err), 0);
    assert_int_equal(fixture_load_record(f, "c2", &record, &err), 0);
    assert_int_equal(fixture_load_record(f, "c3", &record, &err), 0);
    assert_string_equal(pod_state(f), "SANDBOX_NOTREADY");
    assert_int_equal(access(fixture_path(f, "pod/ns/net"), F_OK), 0);
    assert_int_equal(fixture_create(f, "c4", &c, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
}

static void test_sysctls_reach_the_pod_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct fixture_pod pod = {.sysctl = "net.ipv4.ip_unprivileged_port_start=77"};
    struct error err;

    assert_int_equal(fixture_create_pod(f, &(struct fixture_pod){.sysctl = "kernel.panic=1"}, &err),
                     -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_non_null(strstr(err.text, "kernel.panic"));
    assert_int_equal(
        fixture_create_pod(
            f, &(struct fixture_pod){.sysctl = "net.core.somaxconn=1", .host_network = true}, &err),
        -1);
    assert_non_null(strstr(err.text, "net.core.somaxconn"));
    assert_int_equal(fixture_create_pod(f, &(struct fixture_pod){.sysctl = "net.nothing=1"}, &err),
                     -1);
    assert_non_null(strstr(err.text, "set sysctl net.nothing"));
    /* What failed left nothing behind. */
    assert_int_equal(access(fixture_path(f, "pod/ns"), F_OK), -1);
    assert_int_equal(fixture_create_pod(f, &pod, &err), 0);
    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start")});
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    assert_string_equal(fixture_log(f, "c1"), "stdout F 77\n");
    assert_int_equal(fixture_create_pod(f, &pod, &err), -1);
    assert_int_equal(err.code, ERROR_EXISTS);
}

static void test_a_pod_on_the_host_has_no_namespaces(void **state)
{
    struct fixture *f = *state;
    struct error err;

    assert_int_equal(fixture_create_pod(
                         f, &(struct fixture_pod){.host_network = true, .host_ipc = true}, &err),
                     0);
    assert_int_equal(access(fixture_path(f, "pod/ns/net"), F_OK), -1);
    assert_int_equal(access(fixture_path(f, "pod/shm"), F_OK), -1);
    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("true")});
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
}

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

static void test_a_half_line_goes_into_the_old_file(void **state)
{
    struct fixture *f = *state;
    const char *log = fixture_path(f, "logs/c1/0.log");
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS("sh", "-c", "printf half; sleep 0.5; echo more")});
    usleep(200000);
    assert_int_equal(rename(log, fixture_path(f, "logs/c1/old")), 0);
    assert_int_equal(reopen(f, "c1", &err), 0);
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
    Containerd__Task__V3__CloseIORequest request = CONTAINERD__TASK__V3__CLOSE_IOREQUEST__INIT;
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){.args = FIXTURE_ARGS("sh", "-c", "cat; echo end"),
                                            .in = "hold"});
    usleep(100000);
    assert_int_equal(fixture_status(f, "c1"), 2);
    request.id = (char *)"c1";
    request.stdin = true;
    assert_int_equal(fixture_call(f, "CloseIO", &request.base, NULL, NULL, &err), 0);
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
    assert_int_equal(
        fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sh", "-c", "cat; echo err >&2; exit 9"),
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
    assert_int_equal(fixture_exec(f, "c1", "e1", FIXTURE_ARGS("nonsense"), (int[]){-1, -1, -1},
                                  false, &err),
                     0);
    assert_int_equal(fixture_exec(f, "c1", "e1", FIXTURE_ARGS("true"), (int[]){-1, -1, -1}, false,
                                  &err),
                     -1);
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
    assert_int_equal(fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sleep", "100"),
                                  (int[]){-1, -1, -1}, false, &err),
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
    assert_int_equal(fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sleep", "100"),
                                  (int[]){-1, -1, -1}, false, &err),
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

        assert_int_equal(poll(&polled, 1, 5000), 1);
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
    assert_int_equal(fixture_exec(f, "c1", "e1", FIXTURE_ARGS("sh"), (int[]){in[0], out[1], -1},
                                  true, &err),
                     0);
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

/* ---- pause and update ---- */

static void test_a_paused_container_can_be_killed(void **state)
{
    Containerd__Task__V3__PauseRequest pause = CONTAINERD__TASK__V3__PAUSE_REQUEST__INIT;
    Containerd__Task__V3__ResumeRequest resume = CONTAINERD__TASK__V3__RESUME_REQUEST__INIT;
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    pause.id = resume.id = (char *)"c1";
    for (int i = 0; i < 2; i++) {
        if (fixture_call(f, "Pause", &pause.base, NULL, NULL, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(fixture_status(f, "c1"), 4);
        if (i == 0)
            assert_int_equal(fixture_call(f, "Resume", &resume.base, NULL, NULL, &err), 0);
    }
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
}

static void test_resources_can_be_updated(void **state)
{
    Containerd__Task__V3__UpdateTaskRequest request =
        CONTAINERD__TASK__V3__UPDATE_TASK_REQUEST__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    static char json[] = "{\"memory\":{\"limit\":67108864}}";
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100"),
                                            .memory = 128 * 1024 * 1024});
    any.value.data = (uint8_t *)json;
    any.value.len = sizeof json - 1;
    request.id = (char *)"c1";
    request.resources = &any;
    if (fixture_call(f, "Update", &request.base, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

#define WITH_POD(test)    cmocka_unit_test_setup_teardown(test, start_with_pod, stop)
#define WITHOUT_POD(test) cmocka_unit_test_setup_teardown(test, start, stop)

static const struct CMUnitTest tests[] = {
    WITH_POD(test_a_container_logs_and_leaves_an_exit_record),
    WITH_POD(test_a_program_that_is_missing_fails_with_the_runtimes_words),
    WITH_POD(test_a_missing_runtime_is_named),
    WITH_POD(test_a_log_file_that_cannot_be_opened_fails_create),
    WITH_POD(test_ids_states_and_limits_are_checked),
    WITH_POD(test_a_signal_ends_with_128_and_its_number),
    WITH_POD(test_one_that_was_never_started_can_be_killed_or_deleted),
    WITH_POD(test_the_oom_killer_is_seen),
    WITH_POD(test_outputs_that_somebody_keeps_open_do_not_hold_up_the_end),
    WITHOUT_POD(test_a_shared_pid_namespace_is_cleared_when_the_first_process_ends),
    WITH_POD(test_stopping_the_pod_ends_everything_and_says_so_afterwards),
    WITHOUT_POD(test_sysctls_reach_the_pod_and_nothing_else),
    WITHOUT_POD(test_a_pod_on_the_host_has_no_namespaces),
    WITH_POD(test_rotation_under_load_loses_nothing),
    WITH_POD(test_a_half_line_goes_into_the_old_file),
    WITH_POD(test_a_terminal_is_logged_and_resized),
    WITH_POD(test_stdin_is_held_open_until_it_is_closed),
    WITH_POD(test_an_exec_has_the_streams_it_was_given),
    WITH_POD(test_an_exec_that_cannot_start_says_why),
    WITH_POD(test_a_hundred_quick_execs_leave_nothing_behind),
    WITH_POD(test_killing_an_exec_leaves_the_container_alone),
    WITH_POD(test_the_end_of_a_container_ends_its_execs_first),
    WITH_POD(test_an_exec_with_a_terminal_is_relayed),
    WITH_POD(test_a_paused_container_can_be_killed),
    WITH_POD(test_resources_can_be_updated),
};

/* The OCI runtime is the argument; 77 says that it cannot be used here. */
int main(int argc, char **argv)
{
    runtime = argc > 1 ? argv[1] : "/usr/sbin/runc";
    if (argc > 2)
        cmocka_set_test_filter(argv[2]);
    if (!fixture_can_use(runtime))
        return 77;
    return cmocka_run_group_tests_name("shim", tests, NULL, NULL);
}
