// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/own.h"
#include "shim/rootfs.h"
#include "shim/userns.h"

/* Mounts are made in a child with a mount namespace of its own; it tells by its exit status. */
enum { LAYERS = 120, OPTIONS_SIZE = 64 * 1024 };

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/rootfs-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int remove_dir(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(AT_FDCWD, dir, &err);
}

static char *path(const char *name)
{
    static char names[4][256];
    static unsigned next;
    char *out = names[next++ % 4];

    snprintf(out, sizeof names[0], "%s/%s", dir, name);
    return out;
}

static void make_file(const char *name, const char *text)
{
    char folder[256];
    struct error err;

    snprintf(folder, sizeof folder, "%s/%s", dir, name);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(file_make_dirs(folder, 0755, &err), 0);
    assert_int_equal(file_store(AT_FDCWD, path(name), text, strlen(text), 0644, &err), 0);
}

/* Layers with names as long as a digest; each has a file of its own and one that all have. */
static char *make_layers(void)
{
    char *options = xcalloc(1, OPTIONS_SIZE), name[128], text[16];
    size_t len = (size_t)snprintf(options, OPTIONS_SIZE, "lowerdir=");

    for (int i = LAYERS - 1; i >= 0; i--) {
        snprintf(name, sizeof name, "layers/%064d/fs/file%d", i, i);
        make_file(name, "x");
        snprintf(name, sizeof name, "layers/%064d/fs/top", i);
        snprintf(text, sizeof text, "%d", i);
        make_file(name, text);
        len += (size_t)snprintf(options + len, OPTIONS_SIZE - len, "%s%s/layers/%064d/fs",
                                i < LAYERS - 1 ? ":" : "", dir, i);
    }
    return options;
}

/* As on a kernel that has no fsopen(). */
static int hide_new_interface(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsopen, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {COUNT_OF(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0;
}

struct looked {
    bool has_first, has_last, is_read_only;
    char top[16];
    uid_t uid;
    gid_t gid;
};

static void look(struct looked *out)
{
    char last[32];
    int fd = open(path("target/top"), O_RDONLY);
    struct stat st;

    snprintf(last, sizeof last, "target/file%d", LAYERS - 1);
    memset(out, 0, sizeof *out);
    out->has_first = file_exists(path("target/file0"));
    out->has_last = file_exists(path(last));
    out->is_read_only = mkdir(path("target/new"), 0755) < 0 && errno == EROFS;
    if (fd < 0 || read(fd, out->top, sizeof out->top - 1) < 0 || fstat(fd, &st) < 0)
        _exit(3);
    out->uid = st.st_uid;
    out->gid = st.st_gid;
}

/* In a child: 0, or 1 with the words of err on standard error. */
static int mount_and_look(const struct rootfs_mount *m, bool hides, struct looked *out)
{
    int ends[2], status;
    struct error err;

    assert_int_equal(pipe(ends), 0);
    if (fork() == 0) {
        struct looked seen;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            (hides && hide_new_interface()))
            _exit(2);
        if (rootfs_mount(m, path("target"), &err) < 0) {
            dprintf(STDERR_FILENO, "%s\n", err.text);
            _exit(1);
        }
        look(&seen);
        _exit(write(ends[1], &seen, sizeof seen) != sizeof seen);
    }
    assert_true(wait(&status) > 0);
    if (status == 0)
        assert_int_equal(read(ends[0], out, sizeof *out), sizeof *out);
    close(ends[0]);
    close(ends[1]);
    return WEXITSTATUS(status);
}

static void mount_many_layers(bool hides, const char *userns, struct looked *looked)
{
    AUTO_FREE char *layers = make_layers();
    char *options[] = {layers, xasprintf("upperdir=%s/upper", dir),
                       xasprintf("workdir=%s/work", dir), (char *)"idmap"};
    struct rootfs_mount m = {"overlay", "overlay", options, userns ? 4 : 3, userns, NULL};
    struct error err;
    char top[16];

    assert_true(strlen(layers) > 2 * 4096);
    assert_int_equal(file_make_dirs(path("upper"), 0755, &err), 0);
    assert_int_equal(file_make_dirs(path("work"), 0755, &err), 0);
    assert_int_equal(file_make_dirs(path("target"), 0755, &err), 0);
    assert_int_equal(mount_and_look(&m, hides, looked), 0);
    snprintf(top, sizeof top, "%d", LAYERS - 1);
    assert_string_equal(looked->top, top);
    assert_true(looked->has_first && looked->has_last && !looked->is_read_only);
    free(options[1]);
    free(options[2]);
}

static void test_more_layers_than_a_page_holds_are_mounted(void **state)
{
    struct looked looked;

    (void)state;
    mount_many_layers(false, NULL, &looked);
    assert_true(looked.uid == 0 && looked.gid == 0);
}

static void test_an_old_kernel_takes_them_too(void **state)
{
    struct looked looked;

    (void)state;
    mount_many_layers(true, NULL, &looked);
    assert_true(looked.uid == 0 && looked.gid == 0);
}

/* A process in a user namespace with other ids; it ends when it is killed. */
static pid_t start_holder(void)
{
    const struct idmap ids = {{300000, 10}, {400000, 10}};
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    struct error err;

    if (pid == 0)
        for (;;)
            pause();
    assert_true(pid > 0);
    assert_int_equal(userns_write_maps(pid, &ids, &err), 0);
    return pid;
}

static void test_layers_have_the_ids_of_a_user_namespace(void **state)
{
    pid_t holder = start_holder();
    struct looked looked;
    char userns[64];

    (void)state;
    snprintf(userns, sizeof userns, "/proc/%d/ns/user", holder);
    for (int hides = 0; hides < 2; hides++) {
        mount_many_layers(hides, userns, &looked);
        assert_int_equal(looked.uid, 300000);
        assert_int_equal(looked.gid, 400000);
    }
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
}

static void test_a_missing_layer_is_an_error(void **state)
{
    AUTO_FREE char *layers = xasprintf("lowerdir=%s/nothing:%s/source", dir, dir);
    char *options[] = {layers, (char *)"ro"};
    struct rootfs_mount m = {"overlay", "overlay", options, 2, NULL, NULL};
    struct looked looked;
    struct error err;
    (void)state;

    make_file("source/top", "7");
    assert_int_equal(file_make_dirs(path("target"), 0755, &err), 0);
    assert_int_equal(mount_and_look(&m, false, &looked), 1);
    assert_int_equal(mount_and_look(&m, true, &looked), 1);
}

static void test_a_bind_can_be_read_only(void **state)
{
    char *options[] = {(char *)"rbind", (char *)"ro"};
    struct rootfs_mount m = {"bind", NULL, options, 2, NULL, NULL};
    struct looked looked;
    struct error err;
    (void)state;

    make_file("source/top", "7");
    make_file("source/file0", "x");
    m.source = path("source");
    assert_int_equal(file_make_dirs(path("target"), 0755, &err), 0);
    assert_int_equal(mount_and_look(&m, false, &looked), 0);
    assert_true(looked.has_first && looked.is_read_only);
    assert_string_equal(looked.top, "7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_more_layers_than_a_page_holds_are_mounted, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_an_old_kernel_takes_them_too, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_layers_have_the_ids_of_a_user_namespace, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(test_a_missing_layer_is_an_error, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_a_bind_can_be_read_only, make_dir, remove_dir),
    };

    if (geteuid() != 0) {
        puts("1..0 # skip: it takes root to mount");
        return 0;
    }
    return cmocka_run_group_tests_name("rootfs", tests, NULL, NULL);
}
