// SPDX-License-Identifier: Apache-2.0
#include "imaged/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

static char top[40];

static int set_up(void **state)
{
    (void)state;
    memcpy(top, "/tmp/leftover-test.XXXXXX", sizeof "/tmp/leftover-test.XXXXXX");
    return mkdtemp(top) && chdir(top) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    struct error err;

    (void)state;
    return chdir("/") < 0 ? -1 : file_remove_tree(AT_FDCWD, top, &err);
}

static void make_file(const char *path)
{
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
}

static void test_only_what_nobody_holds_and_is_so_named_goes(void **state)
{
    struct error err;
    (void)state;

    assert_int_equal(mkdir(".new-dead", 0700), 0);
    assert_int_equal(mkdir(".new-live", 0700), 0);
    assert_int_equal(mkdir("kept", 0700), 0);
    make_file(".new-dead/file");
    make_file(".new-file");
    AUTO_CLOSE int held = leftover_lock(".new-live", O_RDONLY | O_DIRECTORY);
    assert_true(held >= 0);
    assert_int_equal(leftover_remove(top, ".new-", "", &err), 0);
    assert_false(file_exists(".new-dead"));
    assert_false(file_exists(".new-file"));
    assert_true(file_exists(".new-live"));
    assert_true(file_exists("kept"));
    fd_close(&held);
    assert_int_equal(leftover_remove(top, "", "", &err), 0);
    assert_false(file_exists(".new-live"));
    assert_false(file_exists("kept"));
}

static void test_a_missing_folder_is_fine(void **state)
{
    struct error err;
    (void)state;

    assert_int_equal(leftover_remove("nowhere", "", ".lock", &err), 0);
}

static void test_a_lock_is_one_process_s(void **state)
{
    (void)state;
    AUTO_CLOSE int held = leftover_lock("a.lock", O_RDWR | O_CREAT);

    assert_true(held >= 0);
    assert_int_equal(leftover_lock("a.lock", O_RDWR | O_CREAT), -1);
    assert_int_equal(errno, EWOULDBLOCK);
    fd_close(&held);
    held = leftover_lock("a.lock", O_RDWR | O_CREAT);
    assert_true(held >= 0);
}

/* Counts in a file that only the holder of the lock may touch, and removes the lock each time. */
static void count_up(int times)
{
    while (times > 0) {
        AUTO_CLOSE int held = leftover_lock("b.lock", O_RDWR | O_CREAT);
        AUTO_CLOSE int fd = -1;
        int value = 0;

        if (held < 0)
            continue;
        fd = open("count", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (pread(fd, &value, sizeof value, 0) < 0)
            _exit(1);
        value++;
        if (pwrite(fd, &value, sizeof value, 0) != sizeof value || unlink("b.lock") < 0)
            _exit(1);
        times--;
    }
}

static void test_a_lock_that_is_removed_is_not_held_twice(void **state)
{
    enum { CHILDREN = 4, TIMES = 500 };
    int status, value = 0;
    (void)state;

    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            count_up(TIMES);
            _exit(0);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    AUTO_CLOSE int fd = open("count", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, &value, sizeof value), sizeof value);
    assert_int_equal(value, CHILDREN * TIMES);
}

static void test_who_waits_for_a_lock_is_known_and_gets_it(void **state)
{
    int status;
    (void)state;
    AUTO_CLOSE int held = leftover_lock("c.lock", O_RDWR | O_CREAT);

    assert_true(held >= 0);
    assert_false(leftover_is_awaited(held));
    if (fork() == 0) {
        struct error err;
        int fd;

        fd_close(&held);
        fd = leftover_wait_lock("c.lock", &err);
        _exit(fd >= 0 && file_exists("let go") && !leftover_is_awaited(fd) ? 0 : 1);
    }
    while (!leftover_is_awaited(held))
        usleep(1000);
    make_file("let go");
    fd_close(&held);
    assert_true(wait(&status) > 0);
    assert_int_equal(status, 0);
}

#define FOLDER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(test_only_what_nobody_holds_and_is_so_named_goes),
        FOLDER_TEST(test_a_missing_folder_is_fine),
        FOLDER_TEST(test_a_lock_is_one_process_s),
        FOLDER_TEST(test_a_lock_that_is_removed_is_not_held_twice),
        FOLDER_TEST(test_who_waits_for_a_lock_is_known_and_gets_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
