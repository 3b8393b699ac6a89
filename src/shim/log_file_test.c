// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "shim/log_file.h"
#include "shim/offload.h"

static char dir[64], path[128];

static struct poller poller;
static struct poller_timer soon;

static void on_soon(struct poller_timer *t)
{
    (void)t;
    poller_stop(&poller);
}

static void on_resumed(struct log_file *f)
{
    (void)f;
    poller_stop(&poller);
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/log-file-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/a/b/0.log", dir);
    return 0;
}

static int remove_dir(void **state)
{
    struct error err;

    (void)state;
    umount2(dir, MNT_DETACH);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

static void write_text(struct log_file *f, const char *text)
{
    struct iovec iov[2] = {{(void *)text, 1}, {(void *)(text + 1), strlen(text) - 1}};

    log_file_write(f, iov, 2);
}

/* However busy this machine is. */
static void write_all(struct log_file *f, const char *text)
{
    struct error err;

    f->resumed = on_resumed;
    write_text(f, text);
    while (log_file_is_stuck(f)) {
        poller.is_stopped = false;
        assert_int_equal(poller_run(&poller, &err), 0);
    }
}

static void assert_text(const char *file, const char *text)
{
    AUTO_FINI(buf) out = BUF(1024 * 1024);
    struct error err;

    assert_int_equal(file_load(AT_FDCWD, file, &out, &err), 0);
    assert_string_equal(out.data ? out.data : "", text);
}

static void test_opening_makes_the_folders_and_appends(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    struct stat st;
    struct error err;
    (void)state;

    umask(0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(log_file_open(&f, path, &err), 0);
        write_all(&f, "line\n");
        log_file_close(&f);
    }
    assert_text(path, "line\nline\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    *strrchr(path, '/') = '\0';
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
}

static void test_only_a_regular_file_at_an_absolute_path_will_do(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    struct error err;
    (void)state;

    assert_int_equal(log_file_open(&f, "0.log", &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(log_file_open(&f, dir, &err), -1);
    assert_non_null(strstr(err.text, dir));
    snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(symlink("/dev/null", path), 0);
    assert_int_equal(log_file_open(&f, path, &err), -1);
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(log_file_open(&f, path, &err), -1);
}

static void finish(void *data)
{
    write_text(data, "rest\n");
}

static void test_reopening_finishes_the_old_file_first(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    char old[160];
    struct error err;
    (void)state;

    assert_int_equal(log_file_open(&f, path, &err), 0);
    snprintf(old, sizeof old, "%s.1", path);
    assert_int_equal(rename(path, old), 0);
    assert_int_equal(log_file_reopen(&f, finish, &f, &err), 0);
    write_all(&f, "new\n");
    assert_text(old, "rest\n");
    assert_text(path, "new\n");
    log_file_close(&f);
}

static void test_reopening_in_vain_changes_nothing(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    char moved[160];
    struct error err;
    (void)state;

    assert_int_equal(log_file_open(&f, path, &err), 0);
    snprintf(moved, sizeof moved, "%s/moved", dir);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(log_file_reopen(&f, finish, &f, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    write_all(&f, "still\n");
    snprintf(moved, sizeof moved, "%s/moved/0.log", dir);
    assert_text(moved, "still\n");
    log_file_close(&f);
}

/* A disk of 8 KiB that somebody else has filled, all but a little. */
static void test_a_full_disk_loses_output_and_then_goes_on(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    char big[6000], filler[128];
    struct error err;
    (void)state;

    if (mount("tmpfs", dir, "tmpfs", 0, "size=8k") < 0)
        skip();
    snprintf(path, sizeof path, "%s/0.log", dir);
    snprintf(filler, sizeof filler, "%s/filler", dir);
    memset(big, 'x', sizeof big);
    big[sizeof big - 2] = '\n';
    big[sizeof big - 1] = '\0';
    assert_int_equal(file_store(AT_FDCWD, filler, big, 4096, 0600, &err), 0);
    assert_int_equal(log_file_open(&f, path, &err), 0);
    write_all(&f, "first\n");
    write_all(&f, big);
    assert_true(f.lost_bytes > 0);
    assert_true(f.is_torn);
    write_all(&f, "lost\n");
    assert_int_equal(unlink(filler), 0);
    write_all(&f, "again\n");
    assert_int_equal(f.lost_bytes, 0);
    log_file_close(&f);
    AUTO_FINI(buf) out = BUF(64 * 1024);
    assert_int_equal(file_load(AT_FDCWD, path, &out, &err), 0);
    assert_memory_equal(out.data, "first\nxxx", 9);
    assert_string_equal(out.data + 4096, "\nagain\n");
}

/* A pipe stands in for a disk that hangs: who writes to a full one does not return. */
static void open_hanging(struct log_file *f, int *out_disk)
{
    static char much[64 * 1024];
    struct error err;
    int ends[2];

    assert_int_equal(log_file_open(f, path, &err), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], much, sizeof much), sizeof much);
    fd_close(&f->fd);
    f->fd = ends[1];
    f->resumed = on_resumed;
    *out_disk = ends[0];
}

/* Takes what it was given first, and then what was in the log. */
static void assert_written(int disk, const char *text)
{
    static char much[64 * 1024];
    char found[256] = "";
    size_t len = strlen(text);
    struct error err;

    assert_int_equal(fd_read_full(disk, much, sizeof much, &err), sizeof much);
    assert_int_equal(fd_read_full(disk, found, len, &err), len);
    assert_string_equal(found, text);
}

static void test_a_disk_that_hangs_gets_all_of_it_later(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    char rest[32];
    struct error err;
    int disk;
    (void)state;

    open_hanging(&f, &disk);
    for (const char *text = "one\ntwo\nthree\n"; *text; text = strchr(text, '\n') + 1) {
        AUTO_FREE char *line = xstrndup(text, (size_t)(strchr(text, '\n') + 1 - text));

        write_text(&f, line);
        assert_true(log_file_is_stuck(&f));
    }
    assert_int_equal(log_file_reopen(&f, finish, &f, &err), -1);
    assert_int_equal(err.code, ERROR_DEADLINE);
    poller.is_stopped = false;
    assert_written(disk, "one\n"); /* which makes room for all */
    assert_int_equal(poller_run(&poller, &err), 0);
    assert_false(log_file_is_stuck(&f));
    log_file_close(&f);
    assert_int_equal(fd_read_full(disk, rest, sizeof rest, &err), 10);
    assert_memory_equal(rest, "two\nthree\n", 10);
    fd_close(&disk);
}

static void *take_after_a_while(void *disk)
{
    usleep(100 * 1000);
    assert_written(*(int *)disk, "one\n");
    return NULL;
}

static void test_reopening_waits_for_a_disk_that_is_only_busy(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    char rest[16] = "";
    struct error err;
    pthread_t thread;
    int disk;
    (void)state;

    open_hanging(&f, &disk);
    write_text(&f, "one\n");
    write_text(&f, "two\n");
    assert_true(log_file_is_stuck(&f));
    assert_int_equal(pthread_create(&thread, NULL, take_after_a_while, &disk), 0);
    assert_int_equal(log_file_reopen(&f, finish, &f, &err), 0);
    assert_false(log_file_is_stuck(&f));
    assert_int_equal(pthread_join(thread, NULL), 0);
    write_all(&f, "new\n");
    assert_text(path, "new\n");
    assert_int_equal(fd_read_full(disk, rest, sizeof rest, &err), 9); /* and it is closed */
    assert_string_equal(rest, "two\nrest\n");
    log_file_close(&f);
    fd_close(&disk);
}

static void test_what_a_closed_one_was_given_is_written_too(void **state)
{
    struct log_file f = LOG_FILE_NONE;
    char rest[8] = "";
    struct error err;
    int disk;
    (void)state;

    open_hanging(&f, &disk);
    write_text(&f, "one\n");
    write_text(&f, "two\n");
    log_file_close(&f);
    assert_null(f.path);
    assert_written(disk, "one\n");
    for (struct pollfd p = {disk, 0, 0}; !(p.revents & POLLHUP); assert_true(poll(&p, 1, 0) >= 0)) {
        poller_timer_set(&poller, &soon, 50);
        poller.is_stopped = false;
        assert_int_equal(poller_run(&poller, &err), 0);
    }
    assert_int_equal(fd_read_full(disk, rest, sizeof rest, &err), 4); /* and it is closed */
    assert_string_equal(rest, "two\n");
    fd_close(&disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_opening_makes_the_folders_and_appends, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_only_a_regular_file_at_an_absolute_path_will_do,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_reopening_finishes_the_old_file_first, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_reopening_in_vain_changes_nothing, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_full_disk_loses_output_and_then_goes_on, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_disk_that_hangs_gets_all_of_it_later, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_reopening_waits_for_a_disk_that_is_only_busy, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_what_a_closed_one_was_given_is_written_too, make_dir,
                                        remove_dir),
    };
    struct error err;

    if (poller_init(&poller, &err) < 0)
        return 1;
    poller_timer_init(&soon, on_soon);
    offload_init(&poller);

    return cmocka_run_group_tests_name("log_file", tests, NULL, NULL);
}
