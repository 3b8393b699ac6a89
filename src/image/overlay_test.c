// SPDX-License-Identifier: Apache-2.0
#include "image/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

/* More than an option of one page could name by their paths. */
enum { LAYERS = 130 };

static char dir[] = "/tmp/berth-overlay-XXXXXX";
static struct strv layers;

static void make_file(const char *folder, const char *name, int number)
{
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name), *text = xasprintf("%d", number);
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), 0644, &err), 0);
}

/* Each has a file of its own and one that all have. */
static int make_layers(void **state)
{
    AUTO_FREE char *target = NULL;
    struct error err;
    (void)state;

    if (!mkdtemp(dir))
        return -1;
    target = xasprintf("%s/target", dir);
    for (int i = 0; i < LAYERS; i++) {
        AUTO_FREE char *folder = xasprintf("%s/%064d/fs", dir, i), *own = xasprintf("own%d", i);

        if (file_make_dirs(folder, 0755, &err) < 0)
            return -1;
        make_file(folder, own, i);
        make_file(folder, "top", i);
        strv_add(&layers, folder);
    }
    return mkdir(target, 0755);
}

static int remove_layers(void **state)
{
    struct error err;
    (void)state;

    strv_fini(&layers);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

/* As on a kernel that knows the call but not the option. */
static int refuse_options(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsconfig, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT_OF(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0;
}

static bool has(int root, const char *name, const char *expected)
{
    AUTO_FINI(buf) text = BUF(16);
    struct error err;

    return file_load(root, name, &text, &err) == 0 && strcmp(text.data, expected) == 0;
}

/* 0 when all is there, else which of the looks failed. */
static int look(int root)
{
    AUTO_CLOSE int file = -1;

    if (!has(root, "top", "129"))
        return 10;
    if (!has(root, "own0", "0") || !has(root, "own64", "64") || !has(root, "own129", "129"))
        return 11;
    file = openat(root, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return file < 0 && errno == EROFS ? 0 : 12;
}

static int open_and_look(void)
{
    AUTO_FREE char *own = xasprintf("%s/own64", layers.items[0]);
    AUTO_CLOSE int fd = -1;
    struct error err;

    if (overlay_open(&layers, &fd, &err) < 0)
        return print_message("%s\n", err.text), 1;
    /* Nobody else sees it. */
    return file_exists(own) ? 2 : look(fd);
}

static int mount_and_look(void)
{
    AUTO_FREE char *target = xasprintf("%s/target", dir);
    AUTO_CLOSE int fd = -1;
    struct error err;

    if (overlay_mount(&layers, target, &err) < 0)
        return print_message("%s\n", err.text), 1;
    fd = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? 2 : look(fd);
}

/* In a mount namespace of its own, so that whatever happens no mount stays. */
static void assert_works(int (*act)(void), bool old_kernel)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            (old_kernel && refuse_options()))
            _exit(99);
        _exit(act());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void test_many_layers_are_opened(void **state)
{
    (void)state;
    assert_works(open_and_look, false);
}

static void test_many_layers_are_mounted(void **state)
{
    (void)state;
    assert_works(mount_and_look, false);
}

static void test_many_layers_are_opened_by_older_kernels(void **state)
{
    (void)state;
    assert_works(open_and_look, true);
}

static void test_many_layers_are_mounted_by_older_kernels(void **state)
{
    (void)state;
    assert_works(mount_and_look, true);
}

static void test_a_missing_layer_is_named(void **state)
{
    AUTO_FINI(strv) two = {0};
    struct error err;
    int fd = -1;
    (void)state;

    strv_add(&two, layers.items[0]);
    strv_add(&two, "/nowhere/at/all");
    assert_int_equal(overlay_open(&two, &fd, &err), -1);
    assert_int_equal(fd, -1);
    assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_layers_are_opened),
        cmocka_unit_test(test_many_layers_are_mounted),
        cmocka_unit_test(test_many_layers_are_opened_by_older_kernels),
        cmocka_unit_test(test_many_layers_are_mounted_by_older_kernels),
        cmocka_unit_test(test_a_missing_layer_is_named),
    };

    if (geteuid() != 0) {
        printf("1..0 # SKIP only root can mount\n");
        return 0;
    }
    return cmocka_run_group_tests(tests, make_layers, remove_layers);
}
