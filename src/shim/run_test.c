// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "shim/run.h"

/* Shell scripts stand in for the OCI runtime: $4 is its log, $7 the verb. */
static char dir[64], runtime[96], log_path[96];
enum { PATIENCE_MS = 60 * 1000 };

static struct poller poller;
static struct reaper reaper;
static struct run_context context;

static struct {
    unsigned times;
    bool has_failed;
    struct error failure;
} heard;

static void on_ended(void *owner, const struct error *failure)
{
    assert_ptr_equal(owner, &heard);
    heard.times++;
    heard.has_failed = failure != NULL;
    if (failure)
        heard.failure = *failure;
    poller_stop(&poller);
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/run-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(runtime, sizeof runtime, "%s/runtime", dir);
    snprintf(log_path, sizeof log_path, "%s/log", dir);
    memset(&heard, 0, sizeof heard);
    return 0;
}

static int remove_dir(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(AT_FDCWD, dir, &err);
}

/* Runs "<runtime> ... create c1" to its end; the runtime is a script, or absent when NULL. */
static void run_script(const char *script, int64_t timeout_ms)
{
    AUTO_FINI(strv) verb = {0};
    struct run_spec spec = {.group = &heard,
                            .runtime = runtime,
                            .root = "/root",
                            .log = log_path,
                            .verb = &verb,
                            .stdio = {-1, -1, RUN_REPORT},
                            .timeout_ns = timeout_ms * CLOCK_NS_PER_MS};
    struct error err;

    strv_add(&verb, "create");
    strv_add(&verb, "c1");
    if (script) {
        AUTO_FREE char *text = xasprintf("#!/bin/sh\n%s\n", script);

        assert_int_equal(file_store(AT_FDCWD, runtime, text, strlen(text), 0755, &err), 0);
        assert_int_equal(chmod(runtime, 0755), 0);
    }
    poller.is_stopped = false;
    if (run_start(&context, &spec, on_ended, &heard, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(poller_run(&poller, &err), 0);
    assert_int_equal(heard.times, 1);
    assert_false(file_exists(log_path));
    assert_true(list_is_empty(&context.runs));
    assert_int_equal(reaper.expected, 0);
}

static void assert_failure(enum error_code code, const char *text)
{
    assert_true(heard.has_failed);
    assert_int_equal(heard.failure.code, code);
    assert_string_equal(heard.failure.text, text);
}

/* On one processor it is as good as always the parent that goes on after a fork. */
static _Noreturn void start_and_die(void)
{
    AUTO_FINI(strv) verb = {0};
    struct run_spec spec = {.runtime = runtime,
                            .root = dir,
                            .log = log_path,
                            .verb = &verb,
                            .stdio = {-1, -1, -1},
                            .timeout_ns = CLOCK_NS_PER_S};
    struct error err;
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    strv_add(&verb, "create");
    sched_setaffinity(0, sizeof one, &one);
    if (run_start(&context, &spec, on_ended, &heard, &err) < 0)
        _exit(1);
    kill(getpid(), SIGKILL);
    _exit(1);
}

static void wait_for_all_children(void)
{
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        ;
}

/* It would make what nobody asks for any more. */
static void test_nothing_runs_for_a_shim_that_has_ended(void **state)
{
    enum { TURNS = 50 };
    static const char script[] = "#!/bin/sh\nsleep 0.05; echo >$2/ran\n";
    AUTO_FREE char *ran = xasprintf("%s/ran", dir);
    struct error err;
    (void)state;

    assert_int_equal(file_store(AT_FDCWD, runtime, script, sizeof script - 1, 0755, &err), 0);
    assert_int_equal(chmod(runtime, 0755), 0);
    for (int i = 0; i < TURNS; i++) {
        if (fork() == 0)
            start_and_die();
        wait_for_all_children();
    }
    assert_false(file_exists(ran));
}

static void test_success_is_silent(void **state)
{
    (void)state;
    run_script("echo chatter; echo more >&2; [ \"$*\" = "
               "\"--root /root --log $4 --log-format json create c1\" ]",
               PATIENCE_MS);
    assert_false(heard.has_failed);
}

static void test_the_log_explains_a_failure(void **state)
{
    (void)state;
    run_script("echo 'something else' >&2; "
               "echo '{\"level\":\"error\",\"msg\":\"it broke\"}' >$4; exit 1",
               PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN, "OCI runtime create failed: it broke");
}

static void test_standard_error_explains_what_the_log_does_not(void **state)
{
    (void)state;
    run_script("printf 'first\\nlast words\\n\\n' >&2; exit 1", PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN, "OCI runtime create failed: last words");
}

static void test_nobody_is_given_the_null_device(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    for (int i = 0; i < 2; i++) {
        memset(&heard, 0, sizeof heard);
        run_script("[ -c /dev/stdin ] && ! read line && echo x >/dev/stdin && "
                   "chown 0 /dev/stdin 2>&1 | grep -q 'Read-only file system'",
                   PATIENCE_MS);
        assert_false(heard.has_failed);
    }
}

static void test_a_silent_failure_tells_its_status(void **state)
{
    (void)state;
    run_script("exit 3", PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN,
                   "OCI runtime create failed: it exited with status 3 and said nothing");
}

static void test_a_killed_runtime_tells_its_signal(void **state)
{
    (void)state;
    run_script("kill -11 $$", PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN, "OCI runtime create failed: it was killed by signal 11");
}

static void test_a_missing_runtime_is_named(void **state)
{
    AUTO_FREE char *text = xasprintf("run OCI runtime %s: No such file or directory", runtime);
    (void)state;

    run_script(NULL, PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN, text);
}

static void test_a_runtime_that_takes_too_long_is_killed(void **state)
{
    (void)state;
    run_script("exec sleep 100", 100);
    assert_failure(ERROR_DEADLINE, "OCI runtime create failed: not done after 100 ms");
}

static void kill_it(struct poller_timer *t)
{
    (void)t;
    run_kill_group(&context, &poller); /* not its group */
    run_kill_group(&context, &heard);
}

static void test_a_group_can_be_killed(void **state)
{
    struct poller_timer timer;
    (void)state;

    poller_timer_init(&timer, kill_it);
    poller_timer_set(&poller, &timer, 20);
    run_script("exec sleep 100", PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN, "OCI runtime create failed: it was killed by signal 9");
}

/* A copy of another program, passed off as one of the runtime: what ran is then told by its end. */
static void set_copy(const char *path, const char *contents)
{
    AUTO_CLOSE int from = open(contents, O_RDONLY | O_CLOEXEC);
    AUTO_CLOSE int fd = memfd_create("copy", MFD_CLOEXEC);
    struct identity of;
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, runtime, "#!/bin/sh\n", 10, 0755, &err), 0);
    assert_int_equal(identity_of_path(runtime, &of, &err), 0);
    while (sendfile(fd, from, NULL, 1024 * 1024) > 0)
        ;
    run_set_copy(&context, path, fd_take(&fd), &of);
}

static int drop_copy(void **state)
{
    run_set_copy(&context, "", -1, &(struct identity){0});
    return remove_dir(state);
}

static void test_a_copy_runs_in_place_of_the_binary(void **state)
{
    (void)state;
    set_copy(runtime, "/bin/false");
    run_script(NULL, PATIENCE_MS);
    assert_failure(ERROR_UNKNOWN,
                   "OCI runtime create failed: it exited with status 1 and said nothing");
}

static void test_a_copy_of_what_the_binary_was_is_not_run(void **state)
{
    (void)state;
    set_copy(runtime, "/bin/false");
    run_script("exit 0", PATIENCE_MS);
    assert_false(heard.has_failed);
}

static void test_a_copy_of_another_runtime_is_not_run(void **state)
{
    (void)state;
    set_copy("/bin/true", "/bin/false");
    run_script(NULL, PATIENCE_MS);
    assert_false(heard.has_failed);
}

static void test_where_a_copy_is_refused_the_binary_runs(void **state)
{
    (void)state;
    set_copy(runtime, "/etc/passwd");
    run_script(NULL, PATIENCE_MS);
    assert_false(heard.has_failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_success_is_silent, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_nothing_runs_for_a_shim_that_has_ended, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_the_log_explains_a_failure, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_standard_error_explains_what_the_log_does_not,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_nobody_is_given_the_null_device, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_silent_failure_tells_its_status, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_killed_runtime_tells_its_signal, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_missing_runtime_is_named, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_runtime_that_takes_too_long_is_killed, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_group_can_be_killed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_copy_runs_in_place_of_the_binary, make_dir,
                                        drop_copy),
        cmocka_unit_test_setup_teardown(test_a_copy_of_what_the_binary_was_is_not_run, make_dir,
                                        drop_copy),
        cmocka_unit_test_setup_teardown(test_a_copy_of_another_runtime_is_not_run, make_dir,
                                        drop_copy),
        cmocka_unit_test_setup_teardown(test_where_a_copy_is_refused_the_binary_runs, make_dir,
                                        drop_copy),
    };
    struct error err;

    if (poller_init(&poller, &err) < 0 || reaper_init(&reaper, &poller, &err) < 0)
        return 1;
    context = (struct run_context){.poller = &poller, .reaper = &reaper, .copy.fd = -1};
    list_init(&context.runs);
    getrlimit(RLIMIT_NOFILE, &context.files);
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
