// SPDX-License-Identifier: Apache-2.0
#include "oci/user.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/own.h"

static char root[] = "/tmp/berth-user-XXXXXX";

static const char PASSWD[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "# a comment:x:7:7\n"
                             "broken:x:abc:1::\n"
                             "\n"
                             "web:x:1000:100:Web:/:/bin/sh\r\n"
                             "web:x:1001:101::/:\n"
                             "last:x:1002:102";

static const char GROUP[] = "root:x:0:\n"
                            "wheel:x:10:root,web\n"
                            "users:x:100:\n"
                            "web:x:1000:web\n"
                            "logs:x:30:web\n"
                            "short:x:40\n"
                            "bad:x:-3:web\n"
                            "twice:x:10:web\n";

static void put(const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s", root, name);
    struct error err = {0};

    if (file_store(AT_FDCWD, path, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.text);
}

static void drop(const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", root, name);

    unlink(path);
}

static int make_root(void **state)
{
    (void)state;
    memcpy(root + sizeof root - 7, "XXXXXX", 6);
    if (!mkdtemp(root))
        return -1;
    AUTO_FREE char *etc = xasprintf("%s/etc", root);
    mkdir(etc, 0755);
    put("etc/passwd", PASSWD);
    put("etc/group", GROUP);
    return 0;
}

static int remove_root(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(AT_FDCWD, root, &err);
}

struct request {
    const char *username;
    int64_t uid, gid; /* -1: not given; below that: given as its opposite */
    const char *image_user;
    int64_t group; /* a supplementary one, or -1 */
    int policy;
};

static int resolve(const struct request *r, struct oci_user *out, struct error *err)
{
    AUTO_CLOSE int fd = open(root, O_PATH | O_CLOEXEC);
    Runtime__V1__Int64Value uid = RUNTIME__V1__INT64_VALUE__INIT, gid = uid;
    Runtime__V1__LinuxContainerSecurityContext security =
        RUNTIME__V1__LINUX_CONTAINER_SECURITY_CONTEXT__INIT;
    Runtime__V1__LinuxContainerConfig linux = RUNTIME__V1__LINUX_CONTAINER_CONFIG__INIT;
    Runtime__V1__ContainerConfig config = RUNTIME__V1__CONTAINER_CONFIG__INIT;
    int64_t group = r->group;

    uid.value = r->uid < -1 ? -1 : r->uid;
    gid.value = r->gid;
    if (r->username)
        security.run_as_username = (char *)r->username;
    security.run_as_user = r->uid == -1 ? NULL : &uid;
    security.run_as_group = r->gid == -1 ? NULL : &gid;
    security.supplemental_groups = &group;
    security.n_supplemental_groups = r->group == -1 ? 0 : 1;
    security.supplemental_groups_policy = (Runtime__V1__SupplementalGroupsPolicy)r->policy;
    linux.security_context = &security;
    config.linux = &linux;
    return oci_user_resolve(fd, &config, r->image_user, out, err);
}

/* "uid:gid name groups" */
static char *describe(const struct oci_user *u)
{
    AUTO_FREE char *text = xasprintf("%u:%u %s", u->uid, u->gid, u->name ? u->name : "-");

    for (size_t i = 0; i < u->n_groups; i++) {
        char *longer = xasprintf("%s %u", text, u->groups[i]);

        free(text);
        text = longer;
    }
    return TAKE(text);
}

static void expect(const struct request *r, const char *wanted)
{
    struct oci_user user = {0};
    struct error err = {0};

    if (resolve(r, &user, &err) < 0)
        fail_msg("%s: %s", wanted, err.text);
    AUTO_FREE char *got = describe(&user);
    assert_string_equal(got, wanted);
    oci_user_fini(&user);
}

static void test_users_and_groups_are_looked_up(void **state)
{
    static const struct {
        struct request request;
        const char *wanted;
    } cases[] = {
        {{NULL, -1, -1, "", -1, 0}, "0:0 root 0 10"},
        {{NULL, -1, -1, "", 5, 0}, "0:0 root 0 5 10"},
        {{NULL, -1, -1, "", 5, 1}, "0:0 root 5"},
        {{NULL, -1, -1, NULL, -1, 1}, "0:0 root"},
        {{NULL, 1000, -1, "last", -1, 0}, "1000:100 web 10 30 100"},
        {{NULL, 1000, -1, "last", 7, 1}, "1000:100 web 7 100"},
        {{NULL, 1000, 55, "", -1, 1}, "1000:55 web 55"},
        {{NULL, 4242, -1, "", -1, 0}, "4242:0 - 0"},
        {{NULL, 4242, 4, "", 4, 0}, "4242:4 - 4"},
        {{"web", 7, -1, "", -1, 1}, "1000:100 web 100"},
        {{"1002", -1, -1, "", -1, 1}, "1002:102 last 102"},
        {{NULL, -1, -1, "web", -1, 0}, "1000:100 web 10 30 100"},
        {{NULL, -1, -1, "web:logs", -1, 1}, "1000:30 web 30"},
        {{NULL, -1, -1, "1000:logs", -1, 1}, "1000:30 web 30"},
        {{NULL, -1, -1, "77:88", -1, 0}, "77:88 - 88"},
        {{NULL, -1, -1, "77:", -1, 0}, "77:0 - 0"},
        {{NULL, 2147483647, -1, "", -1, 1}, "2147483647:0 - 0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect(&cases[i].request, cases[i].wanted);
}

static void test_what_cannot_be_is_refused_by_name(void **state)
{
    static const struct {
        struct request request;
        const char *words;
    } cases[] = {
        {{NULL, -1, 5, "web", -1, 0}, "run_as_group: 5 is given without a user"},
        {{NULL, -2, -1, "", -1, 0}, "run_as_user: -1 is out of range"},
        {{NULL, 2147483648, -1, "", -1, 0}, "run_as_user: 2147483648 is out of range"},
        {{NULL, 0, 4294967296, "", -1, 0}, "run_as_group: 4294967296 is out of range"},
        {{"nobody", -1, -1, "", -1, 0}, "user \"nobody\" is not in /etc/passwd of the image"},
        {{NULL, -1, -1, "web:none", -1, 0}, "group \"none\" is not in /etc/group of the image"},
        {{NULL, -1, -1, "a:b:c", -1, 0}, "invalid USER value \"a:b:c\" of the image"},
        {{NULL, -1, -1, "", -5, 0}, "supplemental_groups: -5 is out of range"},
        {{NULL, -1, -1, "", -1, 9}, "supplemental_groups_policy: 9 is not known"},
        {{"broken", -1, -1, "", -1, 0}, "user \"broken\" is not in /etc/passwd of the image"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct oci_user user = {.uid = 9};
        struct error err = {0};

        assert_int_equal(resolve(&cases[i].request, &user, &err), -1);
        assert_string_equal(err.text, cases[i].words);
        assert_int_equal(err.code, ERROR_INVALID);
        assert_int_equal(user.uid, 9);
    }
}

static void test_without_the_files_numbers_do(void **state)
{
    static const struct request number = {NULL, 12, -1, "", -1, 0};
    static const struct request name = {"web", -1, -1, "", -1, 0};
    struct oci_user user;
    struct error err = {0};

    (void)state;
    drop("etc/passwd");
    drop("etc/group");
    expect(&number, "12:0 - 0");
    assert_int_equal(resolve(&name, &user, &err), -1);
}

static void test_links_stay_in_the_image(void **state)
{
    static const struct request web = {"web", -1, -1, "", -1, 1};
    AUTO_FREE char *link = xasprintf("%s/etc/passwd", root);
    struct oci_user user;
    struct error err = {0};

    (void)state;
    put("real", PASSWD);
    drop("etc/passwd");
    assert_int_equal(symlink("../../../../../real", link), 0);
    expect(&web, "1000:100 web 100");
    drop("etc/passwd");
    assert_int_equal(symlink("/etc/passwd", link), 0);
    assert_int_equal(resolve(&web, &user, &err), -1);
    assert_non_null(strstr(err.text, "open /etc/passwd of the image: Too many"));
}

static void test_only_regular_files_of_bounded_size_are_read(void **state)
{
    static const struct request number = {NULL, 12, -1, "", -1, 0};
    AUTO_FREE char *path = xasprintf("%s/etc/passwd", root);
    struct oci_user user;
    struct error err = {0};

    (void)state;
    assert_int_equal(truncate(path, 10 * 1024 * 1024 + 1), 0);
    assert_int_equal(resolve(&number, &user, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    drop("etc/passwd");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(resolve(&number, &user, &err), -1);
    assert_string_equal(err.text, "/etc/passwd of the image is not a regular file");
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        IN_ROOT(test_users_and_groups_are_looked_up),
        IN_ROOT(test_what_cannot_be_is_refused_by_name),
        IN_ROOT(test_without_the_files_numbers_do),
        IN_ROOT(test_links_stay_in_the_image),
        IN_ROOT(test_only_regular_files_of_bounded_size_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
