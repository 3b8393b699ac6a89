// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <shim.pb-c.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/own.h"
#include "fixture.h"
#include "program.h"

/* What the streaming server asks of the shim: to attach, and to tend an exec. */

struct talk {
    int in; /* to the container; -1: none */
    int out;
    int err;
};

static int attach(struct fixture *f, const char *id, bool has_in, bool stdin_once, struct talk *out,
                  struct error *err)
{
    Berth__Shim__V1__AttachRequest request = BERTH__SHIM__V1__ATTACH_REQUEST__INIT;
    int outs[2], errs[2], ins[2] = {-1, -1};
    struct ttrpc_call call = {.socket = f->socket,
                              .service = "berth.shim.v1.Container",
                              .method = "Attach",
                              .request = &request.base,
                              .n_fds = has_in ? 3 : 2};
    struct deadline by = deadline_in_ms(60 * 1000);
    int passed[3], outcome;

    assert_int_equal(pipe2(outs, O_CLOEXEC), 0);
    assert_int_equal(pipe2(errs, O_CLOEXEC), 0);
    if (has_in)
        assert_int_equal(pipe2(ins, O_CLOEXEC), 0);
    memcpy(passed, (int[]){outs[1], errs[1], ins[0]}, sizeof passed);
    call.fds = passed;
    request.id = (char *)id;
    request.stdout = (char *)"fd://0";
    request.stderr = (char *)"fd://1";
    request.stdin = has_in ? (char *)"fd://2" : request.stdin;
    request.stdin_once = stdin_once;
    outcome = ttrpc_client_call(&call, &f->arena, &by, NULL, err);
    fd_close(&outs[1]);
    fd_close(&errs[1]);
    fd_close(&ins[0]);
    *out = (struct talk){ins[1], outs[0], errs[0]};
    return outcome;
}

static void hang_up(struct talk *t)
{
    fd_close(&t->in);
    fd_close(&t->out);
    fd_close(&t->err);
}

static void expect(int fd, const char *wanted)
{
    char text[256] = "";
    struct error err;

    assert_int_equal(fd_read_full(fd, text, sizeof text - 1, &err), strlen(wanted));
    assert_string_equal(text, wanted);
}

static void test_all_who_are_attached_hear_it_and_so_does_the_log(void **state)
{
    struct fixture *f = *state;
    struct talk listener, writer;
    struct error err;

    fixture_run(
        f, "c1",
        &(struct fixture_container){
            .args = FIXTURE_ARGS("sh", "-c", "read x; echo $x; echo err >&2"), .in = "hold"});
    assert_int_equal(attach(f, "c1", false, false, &listener, &err), 0);
    assert_int_equal(attach(f, "c1", true, false, &writer, &err), 0);
    assert_int_equal(write(writer.in, "hello\n", 6), 6);
    expect(listener.out, "hello\n");
    expect(writer.out, "hello\n");
    expect(listener.err, "err\n");
    expect(writer.err, "err\n");
    hang_up(&listener);
    hang_up(&writer);
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    assert_non_null(strstr(fixture_log(f, "c1"), "stdout F hello\n"));
}

static void test_with_stdin_once_its_end_is_the_containers(void **state)
{
    struct fixture *f = *state;
    struct talk t;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("cat"), .in = "hold"});
    assert_int_equal(attach(f, "c1", true, true, &t, &err), 0);
    assert_int_equal(write(t.in, "last", 4), 4);
    fd_close(&t.in);
    expect(t.out, "last");
    assert_int_equal(fixture_wait(f, "c1", ""), 0);
    hang_up(&t);
}

static void test_what_cannot_be_attached_is_refused(void **state)
{
    struct fixture *f = *state;
    struct talk t;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(attach(f, "c2", false, false, &t, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    hang_up(&t);
    assert_int_equal(attach(f, "c1", true, false, &t, &err), -1);
    assert_int_equal(err.code, ERROR_PRECONDITION);
    hang_up(&t);
}

static void test_clients_that_leave_leave_nothing(void **state)
{
    struct fixture *f = *state;
    unsigned before;
    struct talk t;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("cat"), .in = "hold"});
    before = fixture_count_fds(f);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(attach(f, "c1", true, false, &t, &err), 0);
        hang_up(&t);
    }
    for (int i = 0; i < 6000 && fixture_count_fds(f) != before; i++)
        usleep(10000);
    assert_int_equal(fixture_count_fds(f), before);
}

/* --- tending --- */

static int tend(struct fixture *f, const char *id, const char *exec_id)
{
    Berth__Shim__V1__TendExecRequest request = BERTH__SHIM__V1__TEND_EXEC_REQUEST__INIT;
    struct ttrpc_call call = {.socket = f->socket,
                              .service = "berth.shim.v1.Container",
                              .method = "TendExec",
                              .request = &request.base};
    struct deadline by = deadline_in_ms(60 * 1000);
    struct error err;
    int begun;

    request.id = (char *)id;
    request.exec_id = (char *)exec_id;
    begun = ttrpc_client_begin(&call, &by, &err);
    assert_true(begun >= 0);
    return begun;
}

static int finish(struct fixture *f, int begun)
{
    struct ttrpc_call call = {.response = &berth__shim__v1__tend_exec_response__descriptor};
    struct deadline by = deadline_in_ms(60 * 1000);
    ProtobufCMessage *response;
    struct error err;

    assert_int_equal(ttrpc_client_finish(begun, &call, &f->arena, &by, &response, &err), 0);
    return (int)((Berth__Shim__V1__TendExecResponse *)response)->exit_status;
}

static void start_exec(struct fixture *f, const char *const *args)
{
    struct error err;

    assert_int_equal(fixture_exec(f, "c1", "e1", args, (int[]){-1, -1, -1}, false, &err), 0);
    assert_int_equal(fixture_begin_exec(f, "c1", "e1", &err), 0);
}

static void test_one_that_is_tended_is_forgotten_when_it_ends(void **state)
{
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    start_exec(f, FIXTURE_ARGS("sh", "-c", "sleep 0.1; exit 7"));
    assert_int_equal(finish(f, tend(f, "c1", "e1")), 7);
    assert_int_equal(fixture_kill(f, "c1", "e1", SIGKILL, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_when_nobody_tends_it_any_more_it_is_killed_and_forgotten(void **state)
{
    struct fixture *f = *state;
    struct error err;
    int tended;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    start_exec(f, FIXTURE_ARGS("sleep", "100"));
    tended = tend(f, "c1", "e1");
    usleep(50000);
    close(tended);
    for (int i = 0; i < 6000 && fixture_kill(f, "c1", "e1", SIGCONT, &err) == 0; i++)
        usleep(10000);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    for (int i = 0; i < 6000 && strstr(err.text, "already finished"); i++) {
        usleep(10000);
        assert_int_equal(fixture_kill(f, "c1", "e1", SIGCONT, &err), -1);
    }
    assert_non_null(strstr(err.text, "is not here"));
    assert_int_equal(fixture_count_zombies(f), 0);
}

static void test_one_that_was_not_started_is_forgotten_too(void **state)
{
    struct fixture *f = *state;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    for (int i = 0; i < 3; i++) {
        int tended, made = -1;

        for (int tries = 0; tries < 6000 && made < 0; tries++) {
            made =
                fixture_exec(f, "c1", "e1", FIXTURE_ARGS("true"), (int[]){-1, -1, -1}, false, &err);
            usleep(10000);
        }
        assert_int_equal(made, 0);
        tended = tend(f, "c1", "e1");
        usleep(20000);
        close(tended);
    }
}

/* ---- an exec in one request ---- */

static int run_exec_with(struct fixture *f, const char *args, const struct buf *entry)
{
    Berth__Shim__V1__RunExecRequest request = BERTH__SHIM__V1__RUN_EXEC_REQUEST__INIT;
    struct ttrpc_call call = {.socket = f->socket,
                              .service = "berth.shim.v1.Container",
                              .method = "RunExec",
                              .request = &request.base};
    AUTO_FREE char *process =
        xasprintf("{\"args\": [%s], \"cwd\": \"/\", \"env\": [\"PATH=/bin\"], "
                  "\"user\": {\"uid\": 0, \"gid\": 0}}",
                  args);
    struct deadline by = deadline_in_ms(60 * 1000);
    struct error err;
    int begun;

    request.id = (char *)"c1";
    request.exec_id = (char *)"e1";
    request.process.data = (uint8_t *)process;
    request.process.len = strlen(process);
    if (entry) {
        request.entry.data = (uint8_t *)entry->data;
        request.entry.len = entry->len;
    }
    begun = ttrpc_client_begin(&call, &by, &err);
    assert_true(begun >= 0);
    return begun;
}

static int run_exec(struct fixture *f, const char *args)
{
    return run_exec_with(f, args, NULL);
}

static void await_forgotten(struct fixture *f)
{
    struct error err = {0};

    for (int i = 0; i < 6000 && !strstr(err.text, "is not here"); i++) {
        usleep(10000);
        if (fixture_kill(f, "c1", "e1", SIGCONT, &err) == 0)
            err.text[0] = '\0';
    }
    assert_non_null(strstr(err.text, "is not here"));
}

static void test_one_request_runs_it_to_its_end(void **state)
{
    struct fixture *f = *state;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    for (int i = 0; i < 3; i++)
        assert_int_equal(finish(f, run_exec(f, "\"sh\", \"-c\", \"exit 7\"")), 7);
    await_forgotten(f);
}

static void test_one_request_tells_of_a_failure_to_start(void **state)
{
    struct fixture *f = *state;
    struct ttrpc_call call = {.response = &berth__shim__v1__tend_exec_response__descriptor};
    struct deadline by = deadline_in_ms(60 * 1000);
    ProtobufCMessage *response;
    struct error err;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    for (int i = 0; i < 2; i++) {
        int begun = run_exec(f, "\"/no/such/program\"");

        assert_int_equal(ttrpc_client_finish(begun, &call, &f->arena, &by, &response, &err), -1);
        assert_non_null(strstr(err.text, "OCI runtime exec failed"));
    }
    await_forgotten(f);
}

static void test_one_request_that_is_given_up_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    for (unsigned i = 0; i < 6; i++) {
        int begun = run_exec(f, "\"sleep\", \"100\"");

        usleep(i * 4000); /* while it is starting, and when it runs */
        close(begun);
        await_forgotten(f);
    }
    assert_int_equal(fixture_count_zombies(f), 0);
}

/* ---- an exec without the OCI runtime ---- */

/* What "<program> -c <script>" is in words for the shim. */
static void pack_entry(struct buf *out, const char *program, const char *script)
{
    Berth__Shim__V1__Entry entry = BERTH__SHIM__V1__ENTRY__INIT;
    const char *args[] = {program, "-c", script}, *env[] = {"PATH=/bin"};
    struct error err;

    entry.args = (char **)args;
    entry.n_args = 3;
    entry.env = (char **)env;
    entry.n_env = 1;
    entry.cwd = (char *)"/";
    buf_init(out, 4096);
    assert_non_null(buf_reserve(out, berth__shim__v1__entry__get_packed_size(&entry), &err));
    buf_added(out, berth__shim__v1__entry__pack(&entry, (uint8_t *)out->data));
}

/* The process for the OCI runtime ends with 7, that of the entry, which has more behind it, with 3:
 * so the status tells who has started it. */
static int run_entry(struct fixture *f, const char *program, const char *more, size_t more_len)
{
    struct ttrpc_call call = {.response = &berth__shim__v1__tend_exec_response__descriptor};
    const Berth__Shim__V1__TendExecResponse *ended;
    struct deadline by = deadline_in_ms(10000);
    ProtobufCMessage *response;
    AUTO_FINI(buf) entry;
    struct error err;
    int begun;

    pack_entry(&entry, program, "exit 3");
    assert_int_equal(buf_append(&entry, more, more_len, &err), 0);
    begun = run_exec_with(f, "\"sh\", \"-c\", \"exit 7\"", &entry);
    if (ttrpc_client_finish(begun, &call, &f->arena, &by, &response, &err) < 0)
        fail_msg("%s", err.text);
    ended = (const Berth__Shim__V1__TendExecResponse *)response;
    assert_int_equal(ended->direct, ended->exit_status == 3);
    return (int)ended->exit_status;
}

/* A container that can be entered: its first process has been left to the shim. */
static void run_container(struct fixture *f)
{
    int status = 7;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    for (int i = 0; i < 500 && status == 7; i++) {
        usleep(i * 100);
        status = run_entry(f, "sh", "", 0);
    }
    assert_int_equal(status, 3);
}

static void test_an_entry_needs_no_runtime(void **state)
{
    struct fixture *f = *state;

    run_container(f);
    for (int i = 0; i < 20; i++)
        assert_int_equal(run_entry(f, "sh", "", 0), 3);
    await_forgotten(f);
    assert_int_equal(fixture_count_zombies(f), 0);
}

static void test_an_entry_that_says_more_than_is_known_is_for_the_runtime(void **state)
{
    static const char unknown[] = "\xa0\x06\x01";                       /* field 100 */
    static const char limit[] = "\x72\x07\x08\x07\x10\x01\x18\x01\x20"; /* damaged */
    static const char limit_unknown[] = "\x72\x08\x08\x07\x10\x09\x18\x09\x20\x01";
    struct fixture *f = *state;

    run_container(f);
    assert_int_equal(run_entry(f, "sh", unknown, sizeof unknown - 1), 7);
    assert_int_equal(run_entry(f, "sh", limit, sizeof limit - 1), 7);
    assert_int_equal(run_entry(f, "sh", limit_unknown, sizeof limit_unknown - 1), 7);
    assert_int_equal(run_entry(f, "sh", limit_unknown, 0), 3);
}

static void test_an_entry_that_fails_is_for_the_runtime(void **state)
{
    struct fixture *f = *state;

    run_container(f);
    assert_int_equal(run_entry(f, "/no/such/program", "", 0), 7);
    assert_int_equal(run_entry(f, "no-such-program", "", 0), 7);
    assert_int_equal(run_entry(f, "/proc", "", 0), 7);
    await_forgotten(f);
    assert_int_equal(fixture_count_zombies(f), 0);
}

static void give_up_entries(struct fixture *f, const char *script)
{
    AUTO_FINI(buf) entry;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sh", "-c", script)});
    pack_entry(&entry, "sh", "sleep 100");
    for (unsigned i = 0; i < 8; i++) {
        int begun = run_exec_with(f, "\"sleep\", \"100\"", &entry);

        usleep(i * i * 1000); /* while it is on its way, and when it runs */
        close(begun);
        await_forgotten(f);
    }
    assert_int_equal(fixture_count_zombies(f), 0);
}

static void test_an_entry_that_is_given_up_leaves_nothing(void **state)
{
    give_up_entries(*state, "sleep 100");
}

static void test_a_container_that_stops_who_comes_keeps_nobody(void **state)
{
    give_up_entries(*state, "while :; do kill -STOP -1; done 2>/dev/null");
}

static int set_up_unprotected(void **state)
{
    int failed;

    program_is_unprotected = true;
    failed = fixture_set_up_pod(state);
    program_is_unprotected = false;
    return failed;
}

static void test_a_shim_whose_file_can_be_written_to_enters_nothing(void **state)
{
    struct fixture *f = *state;

    fixture_run(f, "c1", &(struct fixture_container){.args = FIXTURE_ARGS("sleep", "100")});
    assert_int_equal(run_entry(f, "sh", "", 0), 7);
}

static const struct CMUnitTest tests[] = {
    FIXTURE_WITH_POD(test_an_entry_needs_no_runtime),
    FIXTURE_WITH_POD(test_an_entry_that_says_more_than_is_known_is_for_the_runtime),
    FIXTURE_WITH_POD(test_an_entry_that_fails_is_for_the_runtime),
    FIXTURE_WITH_POD(test_an_entry_that_is_given_up_leaves_nothing),
    FIXTURE_WITH_POD(test_a_container_that_stops_who_comes_keeps_nobody),
    cmocka_unit_test_setup_teardown(test_a_shim_whose_file_can_be_written_to_enters_nothing,
                                    set_up_unprotected, fixture_tear_down),
    FIXTURE_WITH_POD(test_all_who_are_attached_hear_it_and_so_does_the_log),
    FIXTURE_WITH_POD(test_with_stdin_once_its_end_is_the_containers),
    FIXTURE_WITH_POD(test_what_cannot_be_attached_is_refused),
    FIXTURE_WITH_POD(test_clients_that_leave_leave_nothing),
    FIXTURE_WITH_POD(test_one_that_is_tended_is_forgotten_when_it_ends),
    FIXTURE_WITH_POD(test_when_nobody_tends_it_any_more_it_is_killed_and_forgotten),
    FIXTURE_WITH_POD(test_one_that_was_not_started_is_forgotten_too),
    FIXTURE_WITH_POD(test_one_request_runs_it_to_its_end),
    FIXTURE_WITH_POD(test_one_request_tells_of_a_failure_to_start),
    FIXTURE_WITH_POD(test_one_request_that_is_given_up_leaves_nothing),
};

int main(int argc, char **argv)
{
    return fixture_main(argc, argv, tests, COUNT_OF(tests));
}
