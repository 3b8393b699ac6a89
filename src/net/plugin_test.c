// SPDX-License-Identifier: Apache-2.0
#include "net/plugin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"

static char dir[] = "/tmp/berth-plugin-XXXXXX";
static struct strv bin_dirs;

static int make_dir(void **state)
{
    memcpy(dir + sizeof dir - 7, "XXXXXX", 6);
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    strv_add(&bin_dirs, "/nonexistent");
    strv_add(&bin_dirs, dir);
    return 0;
}

static int remove_dir(void **state)
{
    struct error err;
    (void)state;

    strv_fini(&bin_dirs);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

/* A plugin that is this shell script. */
static void write_plugin(const char *body)
{
    AUTO_FREE char *path = xasprintf("%s/fake", dir);
    AUTO_FREE char *text = xasprintf("#!/bin/sh\n%s\n", body);
    struct error err = {0};

    if (file_store(AT_FDCWD, path, text, strlen(text), 0755, &err) < 0)
        fail_msg("%s", err.text);
}

static int run(const char *netns, const struct deadline *by, struct json_object **out,
               struct error *err)
{
    struct plugin_call call = {.command = "ADD",
                               .type = "fake",
                               .bin_dirs = &bin_dirs,
                               .container_id = "c1",
                               .netns = netns,
                               .ifname = "eth0",
                               .args = "K=v"};
    JSON_AUTO *config = json_parse("{\"type\":\"fake\"}", 15, err);

    return plugin_run(&call, config, by, out, err);
}

static void test_a_plugin_gets_its_input_and_environment(void **state)
{
    JSON_AUTO *answer = NULL;
    struct error err = {0};
    (void)state;

    setenv("CNI_OLD", "x", 1);
    write_plugin("in=$(cat)\n"
                 "printf '{\"in\":%s,\"env\":\"%s %s %s %s %s %s %s\"}' \"$in\" $CNI_COMMAND "
                 "$CNI_CONTAINERID $CNI_NETNS $CNI_IFNAME $CNI_ARGS ${CNI_OLD-unset} "
                 "${CNI_PATH#/nonexistent:}");
    if (run("/ns", &DEADLINE_NONE, &answer, &err) < 0)
        fail_msg("%s", err.text);
    AUTO_FREE char *env = xasprintf("ADD c1 /ns eth0 K=v unset %s", dir);
    assert_string_equal(json_get_str(answer, "env"), env);
    assert_string_equal(json_get_str(json_get(answer, "in"), "type"), "fake");
}

static void test_a_missing_plugin_names_the_places(void **state)
{
    AUTO_FREE char *words =
        xasprintf("failed to find plugin \"fake\" in path [/nonexistent %s]", dir);
    struct error err = {0};
    (void)state;

    assert_int_equal(run("/ns", &DEADLINE_NONE, NULL, &err), -1);
    assert_string_equal(err.text, words);
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
}

static void test_failures_are_told_in_the_plugins_words(void **state)
{
    static const struct {
        const char *body, *netns, *text;
        enum error_code code;
    } cases[] = {
        {"echo '{\"code\":7,\"msg\":\"bad subnet\",\"details\":\"x\"}'; exit 1", "/ns",
         "bad subnet; x", ERROR_UNKNOWN},
        {"echo '{\"code\":11,\"msg\":\"busy\"}'; exit 1", "/ns", "busy", ERROR_UNKNOWN},
        {"exit 3", "/ns", "netplugin failed with no error message: exit status 3", ERROR_UNKNOWN},
        {"kill -9 $$", "/ns", "netplugin failed with no error message: signal 9", ERROR_UNKNOWN},
        {"echo boom >&2; exit 1", "/ns", "netplugin failed: \"boom\n\"", ERROR_UNKNOWN},
        {"printf oops; exit 1", "/ns",
         "netplugin failed but error parsing its diagnostic message \"oops\": JSON at byte 0: "
         "unexpected character",
         ERROR_UNKNOWN},
        {"printf 3; exit 1", "/ns",
         "netplugin failed but error parsing its diagnostic message \"3\": no object",
         ERROR_UNKNOWN},
        {"echo '{\"code\":100,\"msg\":\"Link not found\"}'; exit 1", "/ns", "Link not found",
         ERROR_NOT_FOUND},
        {"echo '{\"code\":3,\"msg\":\"who\"}'; exit 1", "/ns", "who", ERROR_NOT_FOUND},
        {"echo '{\"code\":100,\"msg\":\"no such file or directory\"}'; exit 1", "",
         "no such file or directory", ERROR_NOT_FOUND},
        {"echo '{\"code\":100,\"msg\":\"no such file or directory\"}'; exit 1", "/ns",
         "no such file or directory", ERROR_UNKNOWN},
        {"exit 0", "/ns", "the plugin gave no result", ERROR_UNKNOWN},
        {"echo '[]'", "/ns", "the plugin's result is no object", ERROR_UNKNOWN},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_object *answer = NULL;
        struct error err = {0};

        write_plugin(cases[i].body);
        assert_int_equal(run(cases[i].netns, &DEADLINE_NONE, &answer, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(err.code, cases[i].code);
        assert_null(answer);
    }
}

static void test_huge_output_is_refused(void **state)
{
    struct json_object *answer = NULL;
    struct error err = {0};
    (void)state;

    write_plugin("printf '{\"a\":\"'; head -c 3000000 /dev/zero | tr '\\0' x; printf '\"}'");
    assert_int_equal(run("/ns", &DEADLINE_NONE, &answer, &err), -1);
    assert_non_null(strstr(err.text, "the plugin's result has more than 1048576 bytes"));
    write_plugin("head -c 3000000 /dev/zero >&2; exit 1");
    assert_int_equal(run("/ns", &DEADLINE_NONE, &answer, &err), -1);
}

static void test_a_plugin_that_hangs_ends_at_the_deadline(void **state)
{
    struct deadline by = deadline_in_ms(200);
    int64_t began = clock_monotonic_ns();
    struct error err = {0};
    (void)state;

    write_plugin("exec sleep 300");
    assert_int_equal(run("/ns", &by, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE);
    assert_true(clock_monotonic_ns() - began < 60 * CLOCK_NS_PER_S);
}

static void *close_soon(void *fd)
{
    usleep(300 * 1000);
    fd_close(fd);
    return NULL;
}

static void test_a_plugin_being_written_is_tried_again(void **state)
{
    AUTO_FREE char *path = xasprintf("%s/fake", dir);
    AUTO_CLOSE int fd = -1;
    struct error err = {0};
    pthread_t closer;
    (void)state;

    write_plugin("exit 0");
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pthread_create(&closer, NULL, close_soon, &fd), 0);
    assert_int_equal(run("/ns", &DEADLINE_NONE, NULL, &err), 0);
    pthread_join(closer, NULL);

    struct deadline by = deadline_in_ms(100);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(run("/ns", &by, NULL, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE);
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_DIR(test_a_plugin_gets_its_input_and_environment),
        IN_DIR(test_a_missing_plugin_names_the_places),
        IN_DIR(test_failures_are_told_in_the_plugins_words),
        IN_DIR(test_huge_output_is_refused),
        IN_DIR(test_a_plugin_that_hangs_ends_at_the_deadline),
        IN_DIR(test_a_plugin_being_written_is_tried_again),
    };

    /* As in the daemon: a plugin need not read its input. */
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
