// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "os/sealed.h"

static char dir[64], program[96];

static void install(const char *from)
{
    AUTO_FINI(buf) bytes = BUF(SEALED_PROGRAM_MAX);
    struct error err;

    assert_int_equal(file_load(AT_FDCWD, from, &bytes, &err), 0);
    assert_int_equal(file_store(AT_FDCWD, program, bytes.data, bytes.len, 0755, &err), 0);
}

static int set_up(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/sealed-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(program, sizeof program, "%s/program", dir);
    install("/bin/sh");
    *state = sealed_new(program);
    return 0;
}

static int tear_down(void **state)
{
    struct error err;

    sealed_free(*state);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

static int open_copy(struct sealed *s)
{
    struct identity of, now;
    struct error err;
    int fd;

    if (sealed_open(s, &fd, &of, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(identity_of_path(program, &now, &err), 0);
    assert_true(identity_equals(&of, &now));
    return fd;
}

static ino_t inode_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

/* Runs the copy as a shell. */
static int run(int fd, const char *script)
{
    char *argv[] = {"sh", "-c", (char *)script, NULL};
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        execveat(fd, "", argv, environ, AT_EMPTY_PATH);
        _exit(126);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_the_copy_runs_from_memory(void **state)
{
    AUTO_CLOSE int fd = open_copy(*state);

    assert_int_equal(
        run(fd, "case $(readlink /proc/$$/exe) in /memfd:program*) ;; *) exit 1; esac"), 0);
}

static void test_it_has_the_seals_that_runtimes_look_for(void **state)
{
    AUTO_CLOSE int fd = open_copy(*state);

    assert_int_equal(fcntl(fd, F_GET_SEALS),
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

static void test_nobody_can_write_to_it(void **state)
{
    AUTO_CLOSE int fd = open_copy(*state);
    AUTO_FREE char *path = xasprintf("/proc/self/fd/%d", fd);
    AUTO_CLOSE int again = open(path, O_RDWR | O_CLOEXEC);

    assert_int_equal(write(fd, "x", 1), -1);
    /* Root gets it open, and nothing more. */
    if (again >= 0) {
        assert_int_equal(write(again, "x", 1), -1);
        assert_int_equal(ftruncate(again, 0), -1);
        assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, again, 0), MAP_FAILED);
    }
    assert_true(open(path, O_RDWR | O_TRUNC | O_CLOEXEC) < 0);
    fd_close(&again); /* while somebody has it open for that, it does not run */
    assert_int_equal(run(fd, "exit 0"), 0);
}

static void test_there_is_one_copy_for_all(void **state)
{
    AUTO_CLOSE int one = open_copy(*state);
    AUTO_CLOSE int two = open_copy(*state);

    assert_int_not_equal(one, two);
    assert_int_equal(inode_of(one), inode_of(two));
}

static void test_another_program_in_its_place_is_copied_anew(void **state)
{
    AUTO_CLOSE int old = open_copy(*state), new = -1;

    install("/bin/false");
    new = open_copy(*state);
    assert_int_not_equal(inode_of(old), inode_of(new));
    assert_int_equal(WEXITSTATUS(run(new, "exit 0")), 1);
    assert_int_equal(run(old, "exit 0"), 0);
}

static void test_what_was_written_to_is_copied_anew(void **state)
{
    AUTO_CLOSE int old = open_copy(*state), new = -1;
    AUTO_CLOSE int fd = open(program, O_WRONLY | O_APPEND | O_CLOEXEC);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};
    struct stat before, after;

    assert_int_equal(stat(program, &before), 0);
    do {
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(futimens(fd, times), 0); /* as if it had not been */
        assert_int_equal(stat(program, &after), 0);
    } while (after.st_ctim.tv_nsec == before.st_ctim.tv_nsec); /* the clock ticks slowly */
    new = open_copy(*state);
    assert_int_not_equal(inode_of(old), inode_of(new));
}

static void assert_refused(struct sealed *s, const char *words)
{
    struct identity of;
    struct error err;
    int fd = -1;

    for (int i = 0; i < 2; i++) {
        assert_int_equal(sealed_open(s, &fd, &of, &err), -1);
        assert_int_equal(fd, -1);
        assert_non_null(strstr(err.text, i == 0 ? words : "there is none"));
    }
}

static void test_a_script_is_refused_until_it_is_a_program(void **state)
{
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, program, "#!/bin/sh\n", 10, 0755, &err), 0);
    assert_refused(*state, "not an ELF program");
    install("/bin/true");
    AUTO_CLOSE int fd = open_copy(*state);
    assert_int_equal(run(fd, ""), 0);
}

static void test_a_program_that_is_too_long_is_refused(void **state)
{
    assert_int_equal(truncate(program, SEALED_PROGRAM_MAX + 1), 0);
    assert_refused(*state, "longer than");
}

static void test_a_missing_program_is_told_of(void **state)
{
    struct identity of;
    struct error err;
    int fd;

    assert_int_equal(unlink(program), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sealed_open(*state, &fd, &of, &err), -1);
        assert_int_equal(err.code, ERROR_NOT_FOUND);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_copy_runs_from_memory),
        TEST(test_it_has_the_seals_that_runtimes_look_for),
        TEST(test_nobody_can_write_to_it),
        TEST(test_there_is_one_copy_for_all),
        TEST(test_another_program_in_its_place_is_copied_anew),
        TEST(test_what_was_written_to_is_copied_anew),
        TEST(test_a_script_is_refused_until_it_is_a_program),
        TEST(test_a_program_that_is_too_long_is_refused),
        TEST(test_a_missing_program_is_told_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
