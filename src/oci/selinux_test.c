// SPDX-License-Identifier: Apache-2.0
#include "oci/selinux.h"

#include <sys/xattr.h>

#include "oci/relabel.h"
#include "oci/selinux_levels.h"
#include "oci/spec_fixture.h"

static Runtime__V1__SELinuxOption own, pods;

static void enable(void)
{
    runtime__v1__selinux_option__init(&own);
    runtime__v1__selinux_option__init(&pods);
    t.host.has_selinux = t.in.policy.selinux_enabled = true;
    t.in.pod_selinux = &pods;
}

static void test_levels_are_checked(void **state)
{
    static const char *const good[] = {"s0",       "s0-s0",       "s0:c1",
                                       "s0:c1,c2", "s0:c0.c1023", "s0-s0:c1.c2,c3"};
    static const char *const bad[] = {"",    "x",      "s",      "s00",       "s0:",   "s0:c",
                                      "s0-", "s0:c1,", "s0:c1.", "s0:c12345", "s0:c1 "};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!selinux_levels_is_valid(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (selinux_levels_is_valid(bad[i]))
            fail_msg("%s", bad[i]);
}

static void test_parts_are_the_containers_or_the_pods(void **state)
{
    (void)state;
    enable();
    build();
    assert_string_equal(part("process", "selinuxLabel"), "\"system_u:system_r:container_t:s0\"");
    pods.level = (char *)"s0:c1,c2";
    pods.user = (char *)"staff_u";
    build();
    assert_string_equal(part("process", "selinuxLabel"),
                        "\"staff_u:system_r:container_t:s0:c1,c2\"");
    t.security.selinux_options = &own;
    own.type = (char *)"spc_t";
    own.role = (char *)"r";
    build();
    assert_string_equal(part("process", "selinuxLabel"), "\"staff_u:r:spc_t:s0:c1,c2\"");
    assert_string_equal(part("linux", "mountLabel"),
                        "\"staff_u:object_r:container_file_t:s0:c1,c2\"");
    own.level = (char *)"s0:c7";
    t.security.privileged = t.pod_security.privileged = true;
    build();
    assert_string_equal(part("process", "selinuxLabel"), "nothing");
    assert_string_equal(part("linux", "mountLabel"), "\"staff_u:object_r:container_file_t:s0:c7\"");
}

static void test_without_selinux_there_are_no_labels_but_checks(void **state)
{
    (void)state;
    enable();
    t.security.selinux_options = &own;
    own.level = (char *)"s0:c7";
    t.host.has_selinux = false;
    build();
    assert_string_equal(part("process", "selinuxLabel"), "nothing");
    assert_string_equal(part("linux", "mountLabel"), "nothing");
    own.level = (char *)"c7";
    expect_refusal("selinux_options.level: \"c7\" is no level");
    own.level = (char *)"";
    own.type = (char *)"a:b";
    expect_refusal("selinux_options.type: \"a:b\" is no name");
}

static void test_every_pod_has_a_level_of_its_own(void **state)
{
    AUTO_FINI(selinux_levels) levels;
    AUTO_FINI(strv) taken = {0};
    struct error err = {0};

    (void)state;
    selinux_levels_init(&levels, 5);
    selinux_levels_hold(&levels, "s0:c0,c1");
    for (int i = 0; i < 9; i++) { /* ten pairs of five categories, one is in use */
        AUTO_FREE char *level = selinux_levels_take(&levels, &err);

        assert_non_null(level);
        assert_true(selinux_levels_is_valid(level));
        assert_string_not_equal(level, "s0:c0,c1");
        assert_false(strv_contains(&taken, level));
        strv_add(&taken, level);
    }
    assert_null(selinux_levels_take(&levels, &err));
    assert_string_equal(err.text, "all SELinux levels of 5 categories are in use");
    selinux_levels_hold(&levels, taken.items[4]);
    selinux_levels_release(&levels, taken.items[4]);
    assert_null(selinux_levels_take(&levels, &err)); /* it still has one user */
    selinux_levels_release(&levels, taken.items[4]);
    AUTO_FREE char *again = selinux_levels_take(&levels, &err);
    assert_string_equal(again, taken.items[4]);
}

static char *path_in(const char *name)
{
    return xasprintf("%s/%s", t.dir, name);
}

static const char *label_of(const char *name)
{
    static char label[256];
    AUTO_FREE char *path = path_in(name);
    ssize_t len = lgetxattr(path, "security.selinux", label, sizeof label - 1);

    label[len < 0 ? 0 : len] = '\0';
    return label;
}

static void set_label(const char *name, const char *label)
{
    AUTO_FREE char *path = path_in(name);

    assert_int_equal(lsetxattr(path, "security.selinux", label, strlen(label) + 1, 0), 0);
}

/* The kernel lets root set labels without SELinux too. */
static bool can_label(void)
{
    AUTO_FREE char *path = path_in("hosts");

    return lsetxattr(path, "security.selinux", "a:b:c:s0", 9, 0) == 0;
}

static void test_a_volume_is_relabelled_once(void **state)
{
    AUTO_FREE char *volume = path_in("volume"), *below = path_in("volume/below");
    AUTO_FREE char *link = path_in("volume/link");

    (void)state;
    assert_int_equal(mkdir(volume, 0700), 0);
    assert_int_equal(mkdir(below, 0700), 0);
    put("volume/below/file");
    put("outside");
    assert_int_equal(symlink("../outside", link), 0);
    if (!can_label())
        skip();
    assert_int_equal(relabel_tree(volume, "u:r:t:s0:c1", &t.err), 0);
    assert_string_equal(label_of("volume"), "u:r:t:s0:c1");
    assert_string_equal(label_of("volume/below/file"), "u:r:t:s0:c1");
    assert_string_equal(label_of("volume/link"), "u:r:t:s0:c1");
    assert_string_equal(label_of("outside"), "");
    set_label("volume/below/file", "u:r:t:other"); /* the top tells that there is nothing to do */
    assert_int_equal(relabel_tree(volume, "u:r:t:s0:c1", &t.err), 0);
    assert_string_equal(label_of("volume/below/file"), "u:r:t:other");
    assert_int_equal(relabel_tree(volume, "u:r:t:s0:c2", &t.err), 0);
    assert_string_equal(label_of("volume/below/file"), "u:r:t:s0:c2");
}

static void test_the_nodes_own_folders_keep_their_labels(void **state)
{
    static const char *const refused[] = {"/", "/usr", "/etc", "/home", "/var/lib"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(relabel_tree(refused[i], "u:r:t:s0", &t.err), -1);
        assert_non_null(strstr(t.err.text, "is not to be relabelled"));
    }
}

static void test_mounts_are_relabelled_when_they_ask_for_it(void **state)
{
    static Runtime__V1__Mount with = RUNTIME__V1__MOUNT__INIT, without = RUNTIME__V1__MOUNT__INIT;
    static Runtime__V1__Mount *mounts[] = {&with, &without};
    AUTO_FREE char *with_path = path_in("with"), *without_path = path_in("without");

    (void)state;
    if (!can_label())
        skip();
    enable();
    pods.level = (char *)"s0:c3,c4";
    with.container_path = (char *)"/with";
    with.host_path = with_path;
    with.selinux_relabel = true;
    without.container_path = (char *)"/without";
    without.host_path = without_path;
    t.config.mounts = mounts;
    t.config.n_mounts = 2;
    build();
    assert_string_equal(label_of("with"), "system_u:object_r:container_file_t:s0:c3,c4");
    assert_string_equal(label_of("without"), "");
    assert_string_equal(label_of("hosts"), "system_u:object_r:container_file_t:s0:c3,c4");
    with.host_path = (char *)"/usr";
    expect_refusal(
        "mounts: container_path \"/with\": selinux_relabel: /usr is not to be relabelled");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_levels_are_checked),
        PLAIN(test_parts_are_the_containers_or_the_pods),
        PLAIN(test_without_selinux_there_are_no_labels_but_checks),
        PLAIN(test_every_pod_has_a_level_of_its_own),
        PLAIN(test_a_volume_is_relabelled_once),
        PLAIN(test_the_nodes_own_folders_keep_their_labels),
        PLAIN(test_mounts_are_relabelled_when_they_ask_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
