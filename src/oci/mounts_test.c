// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <sys/mount.h>

#include "oci/spec_fixture.h"

static Runtime__V1__Mount bind(const char *destination, const char *source)
{
    Runtime__V1__Mount m = RUNTIME__V1__MOUNT__INIT;

    m.container_path = (char *)destination;
    m.host_path = (char *)source;
    return m;
}

static void test_mounts_are_sorted_and_ours_give_way(void **state)
{
    static Runtime__V1__Mount deep, hosts, *mounts[] = {&deep, &hosts};
    struct oci_volume volumes[] = {{"data", t.dir}, {"/a/b/c/", t.dir}};
    AUTO_FINI(strv) order = {0};

    (void)state;
    deep = bind("/a/b/c", t.dir);
    hosts = bind("//etc/./hosts", t.dir);
    hosts.readonly = true;
    t.config.mounts = mounts;
    t.config.n_mounts = 2;
    t.in.volumes = volumes;
    t.in.n_volumes = 2;
    build();
    for (size_t i = 0; i < json_len(json_get(t.out, "mounts")); i++)
        strv_add(&order, json_get_str(json_at(json_get(t.out, "mounts"), i), "destination"));
    AUTO_FREE char *text = strv_join(&order, " ");
    assert_string_equal(text,
                        "/proc /dev /dev/pts /dev/mqueue /sys /sys/fs/cgroup /data /etc/hosts "
                        "/etc/hostname /etc/resolv.conf /dev/shm /a/b/c");
    assert_string_equal(options_at("/etc/hosts"), "[\"rbind\",\"rprivate\",\"ro\"]");
    assert_string_equal(json_get_str(mount_at("/etc/hosts"), "source"), t.dir);
    assert_string_equal(options_at("/sys/fs/cgroup"),
                        "[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]");
    deep = bind("/dev", "/dev");
    build();
    assert_null(mount_at("/dev/pts"));
    assert_string_equal(json_get_str(mount_at("/dev"), "type"), "bind");
}

static void test_a_missing_host_path_is_made_and_links_are_followed(void **state)
{
    AUTO_FREE char *missing = xasprintf("%s/new/folder", t.dir);
    AUTO_FREE char *link = xasprintf("%s/link", t.dir);
    AUTO_FREE char *below = xasprintf("%s/hosts/x", t.dir);
    static Runtime__V1__Mount mount, *mounts[] = {&mount};
    struct stat st;

    (void)state;
    mount = bind("/data", missing);
    t.config.mounts = mounts;
    t.config.n_mounts = 1;
    build();
    assert_int_equal(stat(missing, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(symlink("new/folder", link), 0);
    mount.host_path = link;
    build();
    assert_string_equal(json_get_str(mount_at("/data"), "source"), missing);
    mount.host_path = below;
    expect_refusal("mounts: container_path \"/data\": host_path \"");
    mount.host_path = (char *)"relative";
    expect_refusal("host_path \"relative\" is not absolute");
    mount.container_path = (char *)"";
    expect_refusal("mounts: container_path of \"relative\" is empty");
}

static void test_read_only_all_the_way_has_conditions(void **state)
{
    static Runtime__V1__Mount mount, *mounts[] = {&mount};
    static char *options[] = {(char *)"noexec", (char *)"suid"};

    (void)state;
    mount = bind("/data", t.dir);
    t.config.mounts = mounts;
    t.config.n_mounts = 1;
    mount.recursive_read_only = true;
    expect_refusal("recursive_read_only requires readonly");
    mount.readonly = true;
    mount.propagation = RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL;
    expect_refusal("recursive_read_only requires propagation PROPAGATION_PRIVATE");
    mount.propagation = RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_PRIVATE;
    expect_refusal("RROUnsupported");
    t.features.recursive_read_only = true;
    mount.mount_options = options;
    mount.n_mount_options = 1;
    build();
    assert_string_equal(options_at("/data"), "[\"rbind\",\"rprivate\",\"rro\",\"noexec\"]");
    mount.n_mount_options = 2;
    expect_refusal("mount_options: \"suid\" is none of");
}

static int set_mount(const char *source, const char *target, unsigned long flags)
{
    return mount(source, target, NULL, flags, NULL);
}

static const char *propagation_at(const char *destination)
{
    return json_str(json_at(json_get(mount_at(destination), "options"), 1));
}

static void test_mounts_spread_only_from_where_they_can(void **state)
{
    static Runtime__V1__Mount mount, *mounts[] = {&mount};

    (void)state;
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
        set_mount(NULL, "/", MS_REC | MS_PRIVATE) < 0 || set_mount(t.dir, t.dir, MS_BIND) < 0)
        skip();
    mount = bind("/data", t.dir);
    t.config.mounts = mounts;
    t.config.n_mounts = 1;
    mount.propagation = RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER;
    expect_refusal("it is not a shared or slave mount");
    mount.propagation = RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_BIDIRECTIONAL;
    expect_refusal("it is not a shared mount");
    assert_int_equal(set_mount(NULL, t.dir, MS_SHARED), 0);
    build();
    assert_string_equal(propagation_at("/data"), "rshared");
    assert_string_equal(part("linux", "rootfsPropagation"), "\"rshared\"");
    mount.propagation = RUNTIME__V1__MOUNT_PROPAGATION__PROPAGATION_HOST_TO_CONTAINER;
    build();
    assert_string_equal(propagation_at("/data"), "rslave");
    assert_string_equal(part("linux", "rootfsPropagation"), "\"rslave\"");
    assert_int_equal(umount2(t.dir, MNT_DETACH), 0);
}

static void test_a_mount_has_other_ids_if_the_runtime_can(void **state)
{
    static Runtime__V1__IDMapping mapping = RUNTIME__V1__IDMAPPING__INIT, *mappings[] = {&mapping};
    static Runtime__V1__Mount mount, *mounts[] = {&mount};

    (void)state;
    mount = bind("/data", t.dir);
    mount.uidmappings = mappings;
    mount.n_uidmappings = 1;
    mapping.host_id = 5000;
    mapping.length = 10;
    t.config.mounts = mounts;
    t.config.n_mounts = 1;
    expect_refusal("mounts: container_path \"/data\": uidMappings: they are not the pod's");
    t.features.idmapped_mounts = true;
    expect_refusal("gidMappings: 0 mappings");
    mount.gidmappings = mappings;
    mount.n_gidmappings = 1;
    build();
    assert_string_equal(json_text(json_get(mount_at("/data"), "uidMappings")),
                        "[{\"containerID\":0,\"hostID\":5000,\"size\":10}]");
    assert_string_equal(json_text(json_get(mount_at("/data"), "gidMappings")),
                        "[{\"containerID\":0,\"hostID\":5000,\"size\":10}]");
}

static void test_a_mount_with_the_ids_of_the_pod_is_left_to_the_shim(void **state)
{
    static Runtime__V1__UserNamespace userns = RUNTIME__V1__USER_NAMESPACE__INIT;
    static Runtime__V1__NamespaceOption options = RUNTIME__V1__NAMESPACE_OPTION__INIT;
    static Runtime__V1__IDMapping mapping = RUNTIME__V1__IDMAPPING__INIT, *mappings[] = {&mapping};
    static Runtime__V1__Mount plain, mount, *mounts[] = {&plain, &mount};

    (void)state;
    plain = bind("/deep/er", t.dir);
    mount = bind("/data", "/proc/sys");
    mapping.host_id = 5000;
    mapping.length = 10;
    userns.mode = RUNTIME__V1__NAMESPACE_MODE__POD;
    mount.uidmappings = mount.gidmappings = userns.uids = userns.gids = mappings;
    mount.n_uidmappings = mount.n_gidmappings = userns.n_uids = userns.n_gids = 1;
    options.userns_options = &userns;
    t.security.namespace_options = t.pod_security.namespace_options = &options;
    t.in.ids = (struct idmap){{5000, 10}, {5000, 10}};
    t.in.bundle = "/bundle";
    t.config.mounts = mounts;
    t.config.n_mounts = 2;
    build();
    assert_string_equal(json_get_str(mount_at("/data"), "source"), "/bundle/mapped/1");
    assert_null(json_get(mount_at("/data"), "uidMappings"));
    t.in.userns = "/proc/self/ns/user"; /* a real one, and a file system that cannot */
    expect_refusal("mounts: container_path \"/data\": uidMappings: ");
}

static void test_what_is_not_there_yet_says_so(void **state)
{
    static Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    static Runtime__V1__Mount mount, *mounts[] = {&mount};

    (void)state;
    mount = bind("/data", "");
    t.config.mounts = mounts;
    t.config.n_mounts = 1;
    mount.image = &image;
    expect_refusal("ImageVolumeMountFailed");
}

static void test_devices_are_passed_on_with_their_rules(void **state)
{
    static Runtime__V1__Device device = RUNTIME__V1__DEVICE__INIT, *devices[] = {&device};
    static Runtime__V1__Int64Value uid = RUNTIME__V1__INT64_VALUE__INIT;

    (void)state;
    device.host_path = (char *)"/dev/zero";
    device.container_path = (char *)"/dev/nought";
    device.permissions = (char *)"rm";
    t.config.devices = devices;
    t.config.n_devices = 1;
    build();
    assert_string_equal(part("linux", "devices"),
                        "[{\"path\":\"/dev/nought\",\"type\":\"c\",\"major\":1,\"minor\":5,"
                        "\"fileMode\":438,\"uid\":0,\"gid\":0}]");
    assert_string_equal(part("linux", "resources"),
                        "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,"
                        "\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rm\"}]}");
    uid.value = 12;
    t.security.run_as_user = &uid;
    t.in.policy.device_ownership_from_security_context = true;
    build();
    assert_non_null(strstr(part("linux", "devices"), "\"uid\":12,\"gid\":0"));
    device.permissions = (char *)"rx";
    expect_refusal("devices: permissions \"rx\" of /dev/zero");
    device.permissions = (char *)"";
    device.host_path = (char *)"/etc/passwd";
    expect_refusal("devices: host_path \"/etc/passwd\" is not a device");
    device.host_path = (char *)"/dev/no-such";
    expect_refusal("devices: host_path \"/dev/no-such\": No such file");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_mounts_are_sorted_and_ours_give_way),
        PLAIN(test_a_missing_host_path_is_made_and_links_are_followed),
        PLAIN(test_read_only_all_the_way_has_conditions),
        PLAIN(test_mounts_spread_only_from_where_they_can),
        PLAIN(test_a_mount_has_other_ids_if_the_runtime_can),
        PLAIN(test_a_mount_with_the_ids_of_the_pod_is_left_to_the_shim),
        PLAIN(test_what_is_not_there_yet_says_so),
        PLAIN(test_devices_are_passed_on_with_their_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
