// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"

static char folder[] = "/tmp/berth-file-XXXXXX";
static int dirfd;

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    dirfd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dirfd < 0 ? -1 : 0;
}

static int remove_folder(void **state)
{
    struct error err;

    (void)state;
    close(dirfd);
    return file_remove_tree(AT_FDCWD, folder, &err);
}

static void test_what_was_stored_is_loaded(void **state)
{
    struct buf b = BUF(5);
    struct error err;

    (void)state;
    assert_int_equal(file_store(dirfd, "a", "first", 5, 0600, &err), 0);
    assert_int_equal(file_store_durable(dirfd, "a", "again", 5, 0600, &err), 0);
    assert_int_equal(file_load(dirfd, "a", &b, &err), 0);
    assert_string_equal(b.data, "again");
    assert_int_equal(faccessat(dirfd, "a.tmp", F_OK, 0), -1);
    buf_fini(&b);
}

static void test_a_file_longer_than_the_buffer_is_refused(void **state)
{
    struct buf b = BUF(4);
    struct error err;

    (void)state;
    assert_int_equal(file_store(dirfd, "a", "12345", 5, 0600, &err), 0);
    assert_int_equal(file_load(dirfd, "a", &b, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_int_equal(file_load(dirfd, "none", &b, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    buf_fini(&b);
}

static void test_a_tree_goes_and_links_out_of_it_are_not_followed(void **state)
{
    char path[64];
    struct error err;

    (void)state;
    snprintf(path, sizeof path, "%s/tree/b/c", folder);
    assert_int_equal(file_make_dirs(path, 0700, &err), 0);
    assert_int_equal(file_make_dirs(path, 0700, &err), 0);
    assert_int_equal(file_store(dirfd, "outside", "x", 1, 0600, &err), 0);
    assert_int_equal(symlinkat("../../outside", dirfd, "tree/b/link"), 0);
    assert_int_equal(symlinkat(folder, dirfd, "tree/up"), 0);
    assert_int_equal(file_remove_tree(dirfd, "tree", &err), 0);
    assert_int_equal(file_remove_tree(dirfd, "tree", &err), 0);
    assert_int_equal(faccessat(dirfd, "tree", F_OK, 0), -1);
    assert_int_equal(faccessat(dirfd, "outside", F_OK, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_stored_is_loaded),
        cmocka_unit_test(test_a_file_longer_than_the_buffer_is_refused),
        cmocka_unit_test(test_a_tree_goes_and_links_out_of_it_are_not_followed),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
