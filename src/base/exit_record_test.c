// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/exit_record.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

static char dir[] = "/tmp/exit-record-XXXXXX";
static int folder;

static int make_dir(void **state)
{
    (void)state;
    memset(strrchr(dir, '-') + 1, 'X', 6);
    assert_non_null(mkdtemp(dir));
    folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder < 0;
}

static int remove_dir(void **state)
{
    struct error err;

    (void)state;
    fd_close(&folder);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

static void test_load_gives_what_was_stored(void **state)
{
    static const struct exit_record records[] = {
        {0, 1, false}, {255, 1772359200250000000, true}, {137, 1772359200250000001, false}};
    struct exit_record out;
    struct error err;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(records); i++) {
        assert_int_equal(exit_record_store(folder, "c1", &records[i], &err), 0);
        assert_int_equal(exit_record_load(folder, "c1", &out, &err), 0);
        assert_int_equal(out.status, records[i].status);
        assert_int_equal(out.finished_ns, records[i].finished_ns);
        assert_int_equal(out.oom_killed, records[i].oom_killed);
    }
    assert_int_equal(faccessat(folder, ".c1", F_OK, 0), -1);
}

static void test_load_before_the_end_is_not_found(void **state)
{
    struct exit_record out;
    struct error err;
    (void)state;

    assert_int_equal(exit_record_load(folder, "c1", &out, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    error_wrap(&err, "container %s", "c1");
    assert_string_equal(err.text, "container c1: open exit record: No such file or directory");
}

static void test_load_refuses_a_damaged_record(void **state)
{
    static const char *const damaged[] = {"",          "1",        "1 2",
                                          "1 2 0",     "1 2 0\nx", "one 2 0\n",
                                          "1 2 0\n\n", " 1 2 0\n", "4294967296 2 0\n",
                                          "1 2 2\n",   "1 2 0 \n", "01 2 0\n"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(damaged); i++) {
        struct exit_record out;
        struct error err;

        assert_int_equal(file_store(folder, "c1", damaged[i], strlen(damaged[i]), 0600, &err), 0);
        if (exit_record_load(folder, "c1", &out, &err) == 0)
            fail_msg("case %zu", i);
        assert_int_equal(err.code, ERROR_INTERNAL);
    }
}

static void test_ids_that_are_no_file_names_are_refused(void **state)
{
    static const char *const ids[] = {"", ".", "..", ".c1", "a/b", "../c1"};
    struct exit_record record = {0};
    struct error err;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(exit_record_store(folder, ids[i], &record, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(exit_record_load(folder, ids[i], &record, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_load_gives_what_was_stored, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_load_before_the_end_is_not_found, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_load_refuses_a_damaged_record, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_ids_that_are_no_file_names_are_refused, make_dir,
                                        remove_dir),
    };

    return cmocka_run_group_tests_name("exit_record", tests, NULL, NULL);
}
