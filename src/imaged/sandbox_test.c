// SPDX-License-Identifier: Apache-2.0
#include "imaged/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"
#include "imaged/privilege.h"
#include "imaged/sandbox_calls.h"
#include "imaged/sandbox_files.h"
#include "imaged/sandbox_landlock.h"

/* A process in the sandbox does what a hijacked one would do. */

static char dir[] = "/tmp/berth-sandbox-XXXXXX";
static char *layers, *outside;
static pid_t test_pid;
static bool fenced; /* whether sanitizers let the sandbox have all of its fences */

static int make_folders(void **state)
{
    (void)state;
#ifndef __SANITIZE_ADDRESS__
    fenced = true;
#endif
    test_pid = getpid();
    if (!mkdtemp(dir))
        return -1;
    layers = xasprintf("%s/layers", dir);
    outside = xasprintf("%s/outside", dir);
    return mkdir(layers, 0700) | mkdir(outside, 0700);
}

static int remove_folders(void **state)
{
    struct error err;
    (void)state;

    free(layers);
    free(outside);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

enum { ENTERED_NOT = 90, DONE = 0 };

/* What the process in the sandbox said, and how it ended: DONE, the errno of its deed, or
 * EXIT_FAILURE after a call that is not on the list. */
static int in_sandbox(bool network, int (*enter)(const struct sandbox *, struct error *),
                      int (*deed)(void), char said[static 512])
{
    const struct sandbox_path paths[] = {{layers, !network}, {"/nowhere/at/all", false}};
    const struct sandbox sandbox = {.paths = paths, .n_paths = 2, .network = network};
    int ends[2], status;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        struct error err;

        dup2(ends[1], STDOUT_FILENO);
        if (enter(&sandbox, &err) < 0) {
            fd_close(&ends[0]);
            dprintf(STDOUT_FILENO, "%s", err.text);
            _exit(ENTERED_NOT);
        }
        _exit(deed() < 0 ? errno : DONE);
    }
    fd_close(&ends[1]);
    n = read(ends[0], said, 511);
    said[n > 0 ? n : 0] = '\0';
    fd_close(&ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == ENTERED_NOT)
        fail_msg("%s", said);
    return WEXITSTATUS(status);
}

static bool may(bool network, int (*deed)(void))
{
    char said[512];

    return in_sandbox(network, sandbox_enter, deed, said) == DONE;
}

/* The call is refused by its name. */
static void assert_ends(bool network, int (*deed)(void), const char *name)
{
    char said[512], words[64];
    int status = in_sandbox(network, sandbox_enter, deed, said);

    if (!fenced)
        return;
    snprintf(words, sizeof words, "the system call %s,", name);
    assert_int_equal(status, EXIT_FAILURE);
    assert_non_null(strstr(said, "{\"event\":\"error\",\"code\":13,"));
    assert_non_null(strstr(said, words));
}

static int write_layer(void)
{
    AUTO_FREE char *path = xasprintf("%s/file", layers);
    AUTO_FREE char *device = xasprintf("%s/device", layers);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, "x", 1) != 1 || fchown(fd, 123, 456) < 0 || ftruncate(fd, 100) < 0)
        return -1;
    if (mknod(device, S_IFCHR, makedev(0, 0)) < 0 || unlink(device) < 0)
        return -1;
    return fsync(fd) < 0 ? -1 : unlink(path);
}

static int write_outside(void)
{
    AUTO_FREE char *path = xasprintf("%s/file", outside);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    return fd < 0 ? -1 : 0;
}

static int climb_out(void)
{
    AUTO_FREE char *path = xasprintf("%s/../outside", layers);
    AUTO_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);

    return fd < 0 ? -1 : 0;
}

static int read_shadow(void)
{
    AUTO_CLOSE int fd = open("/etc/shadow", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -1 : 0;
}

static int read_sysctl(void)
{
    AUTO_CLOSE int fd = open("/proc/sys/kernel/core_pattern", O_RDWR | O_CLOEXEC);

    return fd < 0 ? -1 : 0;
}

static int enter_our_root(void)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/root/etc", test_pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    return fd < 0 ? -1 : 0;
}

static int make_socket(void)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? -1 : 0;
}

static int make_raw_socket(void)
{
    AUTO_CLOSE int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    return fd < 0 ? -1 : 0;
}

static int connect_out(void)
{
    AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(1),
                             .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};

    if (fd < 0)
        return -1;
    return connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno == ECONNREFUSED ? 0 : -1;
}

static int trace_parent(void)
{
    return (int)ptrace(PTRACE_ATTACH, test_pid, NULL, NULL);
}

static int load_module(void)
{
    return (int)syscall(SYS_init_module, "", 0, "");
}

static int run_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int fork_child(void)
{
    return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

static int make_namespace(void)
{
    return unshare(CLONE_NEWNS);
}

static int mount_something(void)
{
    return mount("x", layers, "tmpfs", 0, NULL);
}

static int open_by_handle(void)
{
    return (int)syscall(SYS_open_by_handle_at, 0, NULL, 0);
}

static int call_nobody_knows(void)
{
    return (int)syscall(1999);
}

static void test_who_unpacks_may_make_files_in_its_folder(void **state)
{
    (void)state;
    assert_true(may(false, write_layer));
}

static void test_nothing_outside_can_be_reached(void **state)
{
    static int (*const deeds[])(void) = {write_outside, climb_out, read_shadow, read_sysctl,
                                         enter_our_root};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(deeds); i++) {
        assert_false(may(false, deeds[i]));
        assert_false(may(true, deeds[i]));
    }
}

static void test_who_talks_to_registries_writes_nowhere(void **state)
{
    (void)state;
    assert_true(may(true, connect_out));
    assert_false(may(true, write_layer));
    assert_ends(true, make_raw_socket, "socket");
}

static void test_calls_that_nobody_needs_end_the_process_and_are_named(void **state)
{
    static const struct {
        int (*deed)(void);
        const char *name;
    } calls[] = {{trace_parent, "ptrace"},    {load_module, "init_module"},
                 {run_program, "execve"},     {fork_child, "clone"},
                 {make_namespace, "unshare"}, {mount_something, "mount"},
                 {call_nobody_knows, "1999"}, {open_by_handle, "open_by_handle_at"}};
    (void)state;

    assert_ends(false, make_socket, "socket");
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        assert_ends(false, calls[i].deed, calls[i].name);
        assert_ends(true, calls[i].deed, calls[i].name);
    }
}

/* --- each fence alone --- */

static int enter_calls(const struct sandbox *s, struct error *err)
{
    if (privilege_drop(!s->network, err) < 0)
        return -1;
    return sandbox_calls_enter(s->network, err);
}

static int enter_landlock(const struct sandbox *s, struct error *err)
{
    if (privilege_drop(!s->network, err) < 0)
        return -1;
    return sandbox_landlock_enter(s, err);
}

static void test_the_mount_namespace_alone_hides_the_rest(void **state)
{
    char said[512];
    (void)state;

    assert_int_equal(in_sandbox(false, sandbox_files_enter, read_shadow, said), ENOENT);
    assert_int_equal(in_sandbox(false, sandbox_files_enter, write_outside, said), ENOENT);
    assert_int_equal(in_sandbox(true, sandbox_files_enter, write_layer, said), EROFS);
    assert_int_equal(in_sandbox(false, sandbox_files_enter, write_layer, said), DONE);
}

static void test_landlock_alone_refuses_the_rest(void **state)
{
    char said[512];
    (void)state;

    if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 4)
        skip();
    assert_int_equal(in_sandbox(false, enter_landlock, read_shadow, said), EACCES);
    assert_int_equal(in_sandbox(false, enter_landlock, write_outside, said), EACCES);
    assert_int_equal(in_sandbox(false, enter_landlock, connect_out, said), EACCES);
    assert_int_equal(in_sandbox(true, enter_landlock, write_layer, said), EACCES);
    assert_int_equal(in_sandbox(false, enter_landlock, write_layer, said), DONE);
}

static void test_the_list_of_calls_alone_keeps_from_the_network(void **state)
{
    char said[512];
    (void)state;

    if (!fenced)
        skip();
    assert_int_equal(in_sandbox(false, enter_calls, make_socket, said), EXIT_FAILURE);
    assert_non_null(strstr(said, "socket"));
    assert_int_equal(in_sandbox(true, enter_calls, connect_out, said), DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_unpacks_may_make_files_in_its_folder),
        cmocka_unit_test(test_nothing_outside_can_be_reached),
        cmocka_unit_test(test_who_talks_to_registries_writes_nowhere),
        cmocka_unit_test(test_calls_that_nobody_needs_end_the_process_and_are_named),
        cmocka_unit_test(test_the_mount_namespace_alone_hides_the_rest),
        cmocka_unit_test(test_landlock_alone_refuses_the_rest),
        cmocka_unit_test(test_the_list_of_calls_alone_keeps_from_the_network),
    };

    if (geteuid() != 0) {
        printf("1..0 # SKIP only root can close the sandbox\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, make_folders, remove_folders);
}
