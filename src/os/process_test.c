// SPDX-License-Identifier: Apache-2.0
#include "os/process.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static int run(const char *script, const char *input, int64_t limit_ms, struct buf *out,
               struct error *err)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    struct process_io io = {.input = input, .input_len = strlen(input), .out = out};
    struct deadline by = deadline_in_ms(limit_ms);
    int status = -1;

    return process_run(&spec, &io, &by, &status, err) < 0 ? -1 : status;
}

static void test_input_goes_in_and_output_comes_out(void **state)
{
    struct buf out = BUF(1000);
    struct error err;

    (void)state;
    assert_int_equal(run("cat; exit 3", "hello", 5000, &out, &err), 3);
    assert_string_equal(out.data, "hello");
    buf_fini(&out);
    assert_int_equal(run("kill -9 $$", "", 5000, NULL, &err), 137);
}

static void test_output_above_the_maximum_is_dropped_and_does_not_block(void **state)
{
    struct buf out = BUF(10000);
    struct error err;

    (void)state;
    assert_int_equal(run("head -c 1000000 /dev/zero; exit 0", "", 10000, &out, &err), 0);
    assert_int_equal(out.len, 10000);
    buf_fini(&out);
}

static void test_at_the_deadline_it_is_killed(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(run("sleep 100", "", 100, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_who_holds_the_output_open_does_not_hold_us(void **state)
{
    struct buf out = BUF(100);
    struct error err;

    (void)state;
    assert_int_equal(run("sleep 100 & echo done", "", 60 * 1000, &out, &err), 0);
    assert_string_equal(out.data, "done\n");
    buf_fini(&out);
}

static void test_a_program_that_is_missing_is_named(void **state)
{
    const char *const argv[] = {"/no/such/program", NULL};
    struct process_spec spec = PROCESS_SPEC(argv);
    struct process p;
    struct error err;

    (void)state;
    assert_int_equal(process_start(&spec, &p, &err), -1);
    assert_string_equal(err.text, "run /no/such/program: No such file or directory");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_goes_in_and_output_comes_out),
        cmocka_unit_test(test_output_above_the_maximum_is_dropped_and_does_not_block),
        cmocka_unit_test(test_at_the_deadline_it_is_killed),
        cmocka_unit_test(test_who_holds_the_output_open_does_not_hold_us),
        cmocka_unit_test(test_a_program_that_is_missing_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
