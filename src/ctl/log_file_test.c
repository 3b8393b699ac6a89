// SPDX-License-Identifier: Apache-2.0
#include "ctl/log_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"

static char dir[64], path[80], old[80];

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/berth-log-file-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/c.log", dir);
    snprintf(old, sizeof old, "%s/c.log.1", dir);
    return 0;
}

static int tear_down(void **state)
{
    struct error err;
    (void)state;

    return file_remove_tree(AT_FDCWD, dir, &err);
}

static void append(const char *text)
{
    struct error err;
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(fd_write_all(fd, text, strlen(text), &err), 0);
}

static void expect(struct log_file *f, const char *text)
{
    char data[64] = "";
    struct error err;
    ssize_t n = log_file_read(f, data, sizeof data - 1, &err);

    assert_int_equal(n, strlen(text));
    assert_string_equal(data, text);
}

static void test_a_missing_file_is_not_found(void **state)
{
    struct error err;
    (void)state;

    assert_null(log_file_open(path, &err));
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_what_is_appended_is_read(void **state)
{
    AUTO(log_file) *f = NULL;
    struct error err;
    (void)state;

    append("one");
    f = log_file_open(path, &err);
    expect(f, "one");
    expect(f, "");
    append("two");
    log_file_wait(f, -1, 10000);
    expect(f, "two");
}

static void test_only_the_last_lines_are_kept(void **state)
{
    static const struct {
        int64_t lines;
        const char *rest;
    } table[] = {{0, ""},
                 {1, "three\n"},
                 {2, "two\nthree\n"},
                 {3, "one\ntwo\nthree\n"},
                 {4, "one\ntwo\nthree\n"},
                 {INT64_MAX, "one\ntwo\nthree\n"}};
    struct error err;
    (void)state;

    append("one\ntwo\nthree\n");
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        AUTO(log_file) *f = log_file_open(path, &err);

        assert_int_equal(log_file_skip(f, table[i].lines, &err), 0);
        expect(f, table[i].rest);
    }
}

static void test_the_last_lines_of_a_long_file(void **state)
{
    AUTO(log_file) *f = NULL;
    struct error err;
    char line[64];
    (void)state;

    for (int i = 0; i < 2000; i++) {
        snprintf(line, sizeof line, "line %d, of which there are many\n", i);
        append(line);
    }
    f = log_file_open(path, &err);
    assert_int_equal(log_file_skip(f, 1990, &err), 0);
    memset(line, 0, sizeof line);
    assert_int_equal(log_file_read(f, line, strlen("line 10,"), &err), strlen("line 10,"));
    assert_string_equal(line, "line 10,");
}

static void test_after_a_rotation_the_old_file_comes_first(void **state)
{
    AUTO(log_file) *f = NULL;
    struct error err;
    (void)state;

    append("one");
    f = log_file_open(path, &err);
    expect(f, "one");
    append("two");
    assert_int_equal(rename(path, old), 0);
    append("three");
    expect(f, "two");
    expect(f, "three");
    expect(f, "");
}

static void test_a_file_that_was_cut_is_read_from_its_start(void **state)
{
    AUTO(log_file) *f = NULL;
    struct error err;
    (void)state;

    append("one two");
    f = log_file_open(path, &err);
    expect(f, "one two");
    assert_int_equal(truncate(path, 0), 0);
    expect(f, "");
    append("new");
    expect(f, "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_missing_file_is_not_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_appended_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_the_last_lines_are_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_last_lines_of_a_long_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_after_a_rotation_the_old_file_comes_first, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_was_cut_is_read_from_its_start, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
