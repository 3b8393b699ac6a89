// SPDX-License-Identifier: Apache-2.0
#include "image/layer_check.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/own.h"
#include "image/shutdown_mark.h"
#include "image/usage.h"

static char dir[] = "/tmp/berth-layer-XXXXXX";

static char *path(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void write_file(const char *name, const char *text)
{
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, name, text, strlen(text), 0644, &err), 0);
}

static int make_layer(void **state)
{
    AUTO_FREE char *fs = NULL, *folder = NULL, *file = NULL, *size = NULL;
    char text[USAGE_TEXT_SIZE];
    struct usage usage;
    struct error err;
    (void)state;

    memset(dir + strlen(dir) - 6, 'X', 6);
    if (!mkdtemp(dir))
        return -1;
    fs = path("fs");
    folder = path("fs/folder");
    file = path("fs/folder/file");
    size = path("size");
    if (mkdir(fs, 0755) < 0 || mkdir(folder, 0755) < 0)
        return -1;
    write_file(file, "contents");
    if (usage_measure(AT_FDCWD, fs, &usage, &err) < 0)
        return -1;
    usage_format(&usage, text);
    write_file(size, text);
    return 0;
}

static int remove_layer(void **state)
{
    struct error err;
    (void)state;

    return file_remove_tree(AT_FDCWD, dir, &err);
}

static void assert_check(int closely, int result)
{
    struct error err = {0};

    assert_int_equal(layer_check(dir, closely, &err), result);
    assert_int_equal(err.code, result < 0 ? ERROR_DATA_LOSS : ERROR_OK);
}

static void test_a_layer_as_it_was_is_good(void **state)
{
    (void)state;
    assert_check(false, 0);
    assert_check(true, 0);
}

static void test_a_layer_that_is_not_finished_is_not_there(void **state)
{
    AUTO_FREE char *size = path("size");
    (void)state;

    write_file(size, "");
    assert_check(false, -1);
    unlink(size);
    assert_check(false, -1);
}

static void test_a_file_cut_short_is_seen_closely(void **state)
{
    AUTO_FREE char *file = path("fs/folder/file");
    (void)state;

    assert_int_equal(truncate(file, 0), 0);
    assert_check(false, 0);
    assert_check(true, -1);
}

static void test_a_missing_file_is_seen_closely(void **state)
{
    AUTO_FREE char *file = path("fs/folder/file");
    (void)state;

    unlink(file);
    assert_check(true, -1);
}

static void test_a_size_of_an_older_berth_knows_only_files(void **state)
{
    AUTO_FREE char *size = path("size"), *file = path("fs/folder/file");
    struct usage usage;
    (void)state;

    assert_true(usage_parse("12288 3\n", &usage));
    assert_int_equal(usage.content, USAGE_UNKNOWN);
    write_file(size, "12288 3\n");
    assert_check(true, 0);
    unlink(file);
    assert_check(true, -1);
}

static void test_a_mark_of_another_boot_is_old(void **state)
{
    AUTO_FREE char *mark = path("running");
    struct error err;
    (void)state;

    assert_false(shutdown_mark_is_old(dir, "this"));
    assert_int_equal(shutdown_mark_set(dir, "this", &err), 0);
    assert_false(shutdown_mark_is_old(dir, "this"));
    assert_true(shutdown_mark_is_old(dir, "next"));
    write_file(mark, "");
    assert_true(shutdown_mark_is_old(dir, "this"));
    shutdown_mark_clear(dir);
    assert_false(shutdown_mark_is_old(dir, "next"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_layer, remove_layer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_layer_as_it_was_is_good),
        TEST(test_a_layer_that_is_not_finished_is_not_there),
        TEST(test_a_file_cut_short_is_seen_closely),
        TEST(test_a_missing_file_is_seen_closely),
        TEST(test_a_size_of_an_older_berth_knows_only_files),
        TEST(test_a_mark_of_another_boot_is_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
