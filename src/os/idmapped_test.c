// SPDX-License-Identifier: Apache-2.0
#include "os/idmapped.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/own.h"

/* In a mount namespace of our own; a process holds a user namespace whose id 0 is 5000. */
static char dir[64], userns[64];
static pid_t holder;

static char *path(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void write_map(const char *file)
{
    AUTO_FREE char *map = xasprintf("/proc/%d/%s", holder, file);
    int fd = open(map, O_WRONLY);

    assert_int_equal(write(fd, "0 5000 10\n", 10), 10);
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/idmapped-XXXXXX");
    if (!mkdtemp(dir) || unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    holder = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (holder == 0)
        for (;;)
            pause();
    snprintf(userns, sizeof userns, "/proc/%d/ns/user", holder);
    write_map("uid_map");
    write_map("gid_map");
    return 0;
}

static int tear_down(void **state)
{
    struct error err;

    (void)state;
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
    return file_remove_tree(AT_FDCWD, dir, &err);
}

static void make_folder(const char *name)
{
    AUTO_FREE char *folder = path(name);
    struct error err;

    assert_int_equal(file_make_dirs(folder, 0755, &err), 0);
}

static uid_t owner_of(const char *place)
{
    struct stat st;

    assert_int_equal(stat(place, &st), 0);
    return st.st_uid;
}

static void test_a_probe_tells_what_can(void **state)
{
    struct error err;

    (void)state;
    assert_int_equal(idmapped_probe(dir, &err), 0);
    assert_int_equal(idmapped_probe("/proc/sys", &err), -1);
    assert_int_equal(err.code, ERROR_UNIMPLEMENTED);
    assert_string_equal(err.text, "the file system of /proc/sys cannot map ids");
    assert_int_equal(idmapped_probe("/nowhere", &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_folders_and_files_are_attached_where_nothing_was(void **state)
{
    AUTO_FREE char *folder = path("data"), *file = path("data/file"), *at = path("new/1");
    AUTO_FREE char *file_at = path("new/2"), *inside = path("new/1/file");
    struct error err;

    (void)state;
    make_folder("data");
    assert_int_equal(file_store(AT_FDCWD, file, "x", 1, 0600, &err), 0);
    assert_int_equal(idmapped_attach(folder, userns, at, &err), 0);
    assert_int_equal(idmapped_attach(file, userns, file_at, &err), 0);
    assert_int_equal(owner_of(at), 5000);
    assert_int_equal(owner_of(inside), 5000);
    assert_int_equal(owner_of(file_at), 5000);
    assert_int_equal(owner_of(file), 0);
    assert_int_equal(umount2(at, MNT_DETACH), 0);
    assert_int_equal(umount2(file_at, MNT_DETACH), 0);
}

/* As on most nodes, where systemd has made all mounts shared. */
static void test_what_is_mounted_on_layers_does_not_show_where_they_are(void **state)
{
    AUTO_FREE char *shared = path("shared"), *layer = path("shared/layer"), *at = path("at");
    AUTO_FREE char *in_layer = path("shared/layer/mounted"), *mounted = path("at/mounted");
    AUTO_FINI(strv) layers = {0};
    struct error err;

    (void)state;
    make_folder("shared");
    make_folder("at");
    assert_int_equal(mount("none", shared, "tmpfs", 0, NULL), 0);
    assert_int_equal(mount(NULL, shared, NULL, MS_SHARED, NULL), 0);
    make_folder("shared/layer");
    strv_add(&layers, layer);
    if (idmapped_attach_layers(&layers, userns, at, &err) < 0)
        skip(); /* tmpfs knows it since Linux 6.3 */
    assert_int_equal(mount("none", at, "tmpfs", 0, NULL), 0);
    assert_int_equal(file_store(AT_FDCWD, mounted, "x", 1, 0600, &err), 0);
    assert_false(file_exists(in_layer));
    assert_int_equal(umount2(at, MNT_DETACH), 0);
    assert_int_equal(umount2(at, MNT_DETACH), 0);
    assert_int_equal(umount2(shared, MNT_DETACH), 0);
}

/* Attaches them, checks that each is seen with other ids, and that it took one mount. */
static void attach_layers(const char *a, const char *b)
{
    AUTO_FREE char *at = path("at");
    AUTO_FINI(strv) layers = {0};
    struct error err;

    make_folder("at");
    make_folder(a);
    strv_addf(&layers, "%s/%s", dir, a);
    if (b) {
        make_folder(b);
        strv_addf(&layers, "%s/%s", dir, b);
    }
    if (idmapped_attach_layers(&layers, userns, at, &err) < 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < layers.len; i++) {
        assert_memory_equal(layers.items[i], at, strlen(at));
        assert_int_equal(owner_of(layers.items[i]), 5000);
    }
    assert_int_equal(umount2(at, MNT_DETACH), 0);
    assert_int_equal(umount2(at, MNT_DETACH), -1);
}

static void test_layers_are_found_below_the_folder_that_they_share(void **state)
{
    (void)state;
    attach_layers("layers/only/fs", NULL);
    attach_layers("layers/aa/fs", "layers/ab/fs"); /* names that begin alike */
    attach_layers("layers/a", "layers/aa");        /* or one that begins the other */
    attach_layers("layers/up", "layers/up/down");
    attach_layers("one/fs", "two/fs");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_probe_tells_what_can),
        cmocka_unit_test(test_what_is_mounted_on_layers_does_not_show_where_they_are),
        cmocka_unit_test(test_folders_and_files_are_attached_where_nothing_was),
        cmocka_unit_test(test_layers_are_found_below_the_folder_that_they_share),
    };

    if (geteuid() != 0) {
        puts("1..0 # skip: it takes root to mount");
        return 0;
    }
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
