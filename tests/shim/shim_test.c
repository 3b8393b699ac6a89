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
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "fixture.h"
#include "sandbox.pb-c.h"
#include "shim.pb-c.h"
#include "task.pb-c.h"

static void test_a_container_logs_and_leaves_an_exit_record(void **state)
{
    struct fixture *f = *state;
    struct exit_record record;
    struct error err;

    fixture_run(f, "c1",
                &(struct fixture_container){
                    .args = FIXTURE_ARGS(
                        "sh", "-c", "hostname; echo oops >&2; printf 'a\\r\\n\\nend'; exit 7")});
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

/* It asks, dies, and only then the shim comes to look. */
static void test_nothing_is_made_for_a_client_that_has_left(void **state)
{
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("sleep", "100")};
    struct error err;
    pid_t client;

    assert_int_equal(kill(f->shim, SIGSTOP), 0);
    client = fork();
    if (client == 0)
        _exit(fixture_create(f, "c1", &c, &err));
    usleep(200 * 1000);
    kill(client, SIGKILL);
    assert_int_equal(waitpid(client, NULL, 0), client);
    assert_int_equal(kill(f->shim, SIGCONT), 0);
    assert_int_equal(fixture_begin(f, "c1", &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    fixture_run(f, "c1", &c);
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

static void test_one_that_was_never_started_ends_without_a_record(void **state)
{
    struct fixture *f = *state;
    struct fixture_container c = {.args = FIXTURE_ARGS("sleep", "100")};
    struct exit_record record;
    struct error err;

    assert_int_equal(fixture_create(f, "c1", &c, &err), 0);
    assert_int_equal(fixture_status(f, "c1"), 1);
    assert_int_equal(fixture_kill(f, "c1", "", SIGKILL, &err), 0);
    assert_int_equal(fixture_wait(f, "c1", ""), 128 + SIGKILL);
    assert_int_equal(fixture_load_record(f, "c1", &record, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
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
    assert_in_range((clock_monotonic_ns() - begun) / CLOCK_NS_PER_MS, 1500, 9500);
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
    for (int i = 0; i < 6000 && !strstr(fixture_log(f, "c2"), "stdout F berth-init\n"); i++)
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
    assert_int_equal(fixture_wait(f, "c3", ""), 128 + SIGKILL);
    assert_string_equal(pod_state(f), "SANDBOX_NOTREADY");
    assert_int_equal(access(fixture_path(f, "pod/ns/net"), F_OK), 0);
    assert_int_equal(fixture_create(f, "c4", &c, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
}

/* A runtime that hangs, and is only good for cleaning up. */
static void test_stopping_the_pod_does_not_wait_for_a_runtime_that_hangs(void **state)
{
    Containerd__Runtime__Sandbox__V1__StopSandboxRequest request =
        CONTAINERD__RUNTIME__SANDBOX__V1__STOP_SANDBOX_REQUEST__INIT;
    struct fixture *f = *state;
    const char *script = fixture_path(f, "hanging"), *deleted = fixture_path(f, "deleted");
    const char *begun_file = fixture_path(f, "begun");
    char text[512];
    struct error err;
    int64_t begun;
    int status;
    pid_t client;

    snprintf(
        text, sizeof text,
        "#!/bin/sh\ncase \"$7\" in create) echo >%s; exec sleep 1000;; *) echo $9 >%s;; esac\n",
        begun_file, deleted);
    assert_int_equal(file_store(AT_FDCWD, script, text, strlen(text), 0755, &err), 0);
    f->runtime = script;
    client = fork();
    if (client == 0)
        _exit(fixture_create(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("true")},
                             &err) != -1);
    while (access(begun_file, F_OK) < 0)
        usleep(10000);
    begun = clock_monotonic_ns();
    assert_int_equal(fixture_call(f, "containerd.runtime.sandbox.v1.Sandbox.StopSandbox",
                                  &request.base, NULL, NULL, &err),
                     0);
    assert_in_range((clock_monotonic_ns() - begun) / CLOCK_NS_PER_MS, 0, 60 * 1000);
    assert_int_equal(waitpid(client, &status, 0), client);
    assert_int_equal(status, 0);
    assert_string_equal(fixture_text(f, deleted), "c1\n");
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

    assert_int_equal(
        fixture_create_pod(f, &(struct fixture_pod){.host_network = true, .host_ipc = true}, &err),
        0);
    assert_int_equal(access(fixture_path(f, "pod/ns/net"), F_OK), -1);
    assert_int_equal(access(fixture_path(f, "pod/shm"), F_OK), -1);
    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("true")});
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
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

static const struct CMUnitTest tests[] = {
    FIXTURE_WITH_POD(test_a_container_logs_and_leaves_an_exit_record),
    FIXTURE_WITH_POD(test_a_program_that_is_missing_fails_with_the_runtimes_words),
    FIXTURE_WITH_POD(test_a_missing_runtime_is_named),
    FIXTURE_WITH_POD(test_a_log_file_that_cannot_be_opened_fails_create),
    FIXTURE_WITH_POD(test_ids_states_and_limits_are_checked),
    FIXTURE_WITH_POD(test_nothing_is_made_for_a_client_that_has_left),
    FIXTURE_WITH_POD(test_a_signal_ends_with_128_and_its_number),
    FIXTURE_WITH_POD(test_one_that_was_never_started_ends_without_a_record),
    FIXTURE_WITH_POD(test_the_oom_killer_is_seen),
    FIXTURE_WITH_POD(test_outputs_that_somebody_keeps_open_do_not_hold_up_the_end),
    FIXTURE_WITHOUT_POD(test_a_shared_pid_namespace_is_cleared_when_the_first_process_ends),
    FIXTURE_WITH_POD(test_stopping_the_pod_ends_everything_and_says_so_afterwards),
    FIXTURE_WITH_POD(test_stopping_the_pod_does_not_wait_for_a_runtime_that_hangs),
    FIXTURE_WITHOUT_POD(test_sysctls_reach_the_pod_and_nothing_else),
    FIXTURE_WITHOUT_POD(test_a_pod_on_the_host_has_no_namespaces),
    FIXTURE_WITH_POD(test_a_paused_container_can_be_killed),
    FIXTURE_WITH_POD(test_resources_can_be_updated),
};

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, tests, COUNT_OF(tests));
}
