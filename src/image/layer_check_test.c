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

#include "base/fd.h"
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
    if (usage_measure(AT_FDCWD, fs, USAGE_DATA, &usage, &err) < 0)
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

/* The same file, size and mode. */
static void write_over(const char *name, const char *eight, struct timespec modified)
{
    AUTO_CLOSE int fd = open(name, O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, eight, 8, 0), 8);
    assert_int_equal(futimens(fd, (struct timespec[]){modified, modified}), 0);
}

static void assert_check(enum layer_depth depth, int result)
{
    struct error err = {0};

    assert_int_equal(layer_check(dir, depth, &err), result);
    assert_int_equal(err.code, result < 0 ? ERROR_DATA_LOSS : ERROR_OK);
}

static void test_a_layer_as_it_was_is_good(void **state)
{
    (void)state;
    assert_check(LAYER_IS_THERE, 0);
    assert_check(LAYER_NAMES, 0);
    assert_check(LAYER_DATA, 0);
}

static void test_a_layer_that_is_not_finished_is_not_there(void **state)
{
    AUTO_FREE char *size = path("size");
    (void)state;

    write_file(size, "");
    assert_check(LAYER_IS_THERE, -1);
    unlink(size);
    assert_check(LAYER_IS_THERE, -1);
}

static void test_a_file_cut_short_is_seen_closely(void **state)
{
    AUTO_FREE char *file = path("fs/folder/file");
    (void)state;

    assert_int_equal(truncate(file, 0), 0);
    assert_check(LAYER_IS_THERE, 0);
    assert_check(LAYER_NAMES, -1);
}

static void test_a_missing_file_is_seen_closely(void **state)
{
    AUTO_FREE char *file = path("fs/folder/file");
    (void)state;

    unlink(file);
    assert_check(LAYER_NAMES, -1);
}

/* As a disk leaves it that had the inode and not the data. */
static void test_lost_contents_are_seen_by_reading(void **state)
{
    AUTO_FREE char *file = path("fs/folder/file");
    struct stat st;
    (void)state;

    assert_int_equal(stat(file, &st), 0);
    write_over(file, "\0\0\0\0\0\0\0", st.st_mtim);
    assert_check(LAYER_NAMES, 0);
    assert_check(LAYER_DATA, -1);
    write_over(file, "contentz", st.st_mtim);
    assert_check(LAYER_DATA, -1);
    write_over(file, "contents", st.st_mtim);
    assert_check(LAYER_DATA, 0);
}

static void test_another_file_of_that_size_is_seen_by_its_name_and_time(void **state)
{
    AUTO_FREE char *file = path("fs/folder/file"), *other = path("fs/folder/other");
    struct stat st;
    (void)state;

    assert_int_equal(stat(file, &st), 0);
    write_over(file, "contents", (struct timespec){0});
    assert_check(LAYER_NAMES, -1);
    write_over(file, "contents", st.st_mtim);
    assert_check(LAYER_NAMES, 0);
    assert_int_equal(rename(file, other), 0);
    assert_check(LAYER_NAMES, -1);
    assert_int_equal(rename(other, file), 0);
    assert_int_equal(chmod(file, 0600), 0);
    assert_check(LAYER_NAMES, -1);
}

/* Lower layers decide about those that were implied, after the layer was measured. */
static void test_owners_of_folders_do_not_count(void **state)
{
    AUTO_FREE char *folder = path("fs/folder");
    (void)state;

    assert_int_equal(chmod(folder, 0700), 0);
    assert_check(LAYER_DATA, 0);
}

static void test_a_size_of_an_older_berth_knows_only_files(void **state)
{
    AUTO_FREE char *size = path("size"), *file = path("fs/folder/file");
    struct usage usage;
    (void)state;

    assert_true(usage_parse("12288 3\n", &usage));
    assert_int_equal(usage.content, USAGE_UNKNOWN);
    write_file(size, "12288 3\n");
    assert_check(LAYER_NAMES, 0);
    unlink(file);
    assert_check(LAYER_NAMES, -1);
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
        TEST(test_lost_contents_are_seen_by_reading),
        TEST(test_another_file_of_that_size_is_seen_by_its_name_and_time),
        TEST(test_owners_of_folders_do_not_count),
        TEST(test_a_size_of_an_older_berth_knows_only_files),
        TEST(test_a_mark_of_another_boot_is_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
