// SPDX-License-Identifier: Apache-2.0
#include "wire/remotecommand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_versions_are_in_the_names(void **state)
{
    static const struct {
        const char *protocol;
        int version;
    } names[] = {{"v5.channel.k8s.io", 5},        {"v4.channel.k8s.io", 4},
                 {"v4.base64.channel.k8s.io", 4}, {"v3.channel.k8s.io", 3},
                 {"v2.channel.k8s.io", 2},        {"channel.k8s.io", 1},
                 {"base64.channel.k8s.io", 1},    {"", 1}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_int_equal(remotecommand_version(names[i].protocol), names[i].version);
}

static void test_streams_have_names(void **state)
{
    (void)state;

    assert_int_equal(remotecommand_stream_find("stdin"), REMOTECOMMAND_STDIN);
    assert_int_equal(remotecommand_stream_find("resize"), REMOTECOMMAND_RESIZE);
    assert_int_equal(remotecommand_stream_find("Stdin"), -1);
    assert_int_equal(remotecommand_stream_find(""), -1);
    assert_int_equal(remotecommand_stream_find(NULL), -1);
}

static void test_sizes_come_in_any_pieces(void **state)
{
    static const char text[] = "{\"Width\":80,\"Height\":24}\n {\"x\":\"}\\\"{\",\"Width\":1,"
                               "\"Height\":2}{\"Width\":0,\"Height\":9}\r\n\t"
                               "{\"Width\":65535,\"Height\":1,\"a\":{\"b\":{}}}{\"Width\":65536,"
                               "\"Height\":1}{}{\"Width\":\"7\",\"Height\":7}\n";
    (void)state;

    for (size_t step = 1; step < sizeof text; step++) {
        struct remotecommand_resizes r;
        struct remotecommand_size size = {0};
        struct error err;
        int found = 0;

        remotecommand_resizes_init(&r);
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t left = sizeof text - 1 - at;
            int rc =
                remotecommand_resizes_feed(&r, text + at, left < step ? left : step, &size, &err);

            assert_true(rc >= 0);
            found += rc;
        }
        assert_int_equal(size.width, 65535);
        assert_int_equal(size.height, 1);
        assert_int_equal(found, step == 1 ? 3 : found);
        assert_int_equal(r.text.len, 0);
        remotecommand_resizes_fini(&r);
    }
}

static void test_what_is_no_size_is_refused(void **state)
{
    AUTO_FREE char *endless = xasprintf("{\"Width\":%*d", REMOTECOMMAND_RESIZE_MAX, 1);
    const char *bad[] = {"x", "[1,2]", "{\"Width\":}", "{\"Width\":1} 80", endless};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct remotecommand_resizes r;
        struct remotecommand_size size;
        struct error err;

        remotecommand_resizes_init(&r);
        assert_int_equal(remotecommand_resizes_feed(&r, bad[i], strlen(bad[i]), &size, &err), -1);
        remotecommand_resizes_fini(&r);
    }
}

static void test_the_end_is_told_as_clients_read_it(void **state)
{
    static const char failed[] = "Internal error occurred: error executing command in container: "
                                 "exec \"sh\": no such file";
    static const char exited[] = "command terminated with non-zero exit code: error executing "
                                 "command [sh -c \"x\"], exit code 137";
    static char *const command[] = {(char *)"sh", (char *)"-c", (char *)"\"x\""};
    const struct error failure = {.code = ERROR_UNKNOWN, .text = "exec \"sh\": no such file"};
    const struct remotecommand_end good = {.command = command, .n_command = 3};
    const struct remotecommand_end bad = {.failure = &failure};
    const struct remotecommand_end code = {.exit_code = 137, .command = command, .n_command = 3};
    const struct {
        int version;
        const struct remotecommand_end *end;
        const char *text;
    } ends[] = {
        {1, &good, ""},
        {3, &good, ""},
        {4, &good, "{\"status\":\"Success\"}"},
        {5, &good, "{\"status\":\"Success\"}"},
        {1, &bad, failed},
        {3, &code, exited},
        {4, &bad,
         "{\"status\":\"Failure\",\"message\":\"Internal error occurred: error executing command "
         "in "
         "container: exec \\\"sh\\\": no such file\",\"reason\":\"InternalError\",\"code\":500}"},
        {5, &code,
         "{\"status\":\"Failure\",\"message\":\"command terminated with non-zero exit code: error "
         "executing command [sh -c \\\"x\\\"], exit code 137\",\"reason\":\"NonZeroExitCode\","
         "\"details\":{\"causes\":[{\"reason\":\"ExitCode\",\"message\":\"137\"}]}}"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        AUTO_FREE char *text = remotecommand_status(ends[i].version, ends[i].end);

        assert_string_equal(text, ends[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_are_in_the_names),
        cmocka_unit_test(test_streams_have_names),
        cmocka_unit_test(test_sizes_come_in_any_pieces),
        cmocka_unit_test(test_what_is_no_size_is_refused),
        cmocka_unit_test(test_the_end_is_told_as_clients_read_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
