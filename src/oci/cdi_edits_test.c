// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_edits.h"

#include <sys/sysmacros.h>

#include "oci/spec_fixture.h"

static Runtime__V1__CDIDevice named[4], *named_list[4];
static Runtime__V1__ContainerConfig__AnnotationsEntry annotation, *annotations[] = {&annotation};

static int set_up_cdi(void **state)
{
    AUTO_FINI(strv) folders = {0};

    if (set_up(state) < 0)
        return -1;
    strv_add(&folders, t.dir);
    t.in.cdi = cdi_cache_new(&folders);
    t.config.cdi_devices = named_list;
    return 0;
}

static int tear_down_cdi(void **state)
{
    cdi_cache_free(t.in.cdi);
    return tear_down(state);
}

static void store(const char *kind, const char *text)
{
    AUTO_FREE char *path = xasprintf("%s/%s.yaml", t.dir, kind);
    AUTO_FREE char *whole = xasprintf("cdiVersion: 1.1.0\nkind: v.com/%s\n%s", kind, text);

    assert_int_equal(file_store(AT_FDCWD, path, whole, strlen(whole), 0644, &t.err), 0);
}

static void ask_for(const char *name)
{
    Runtime__V1__CDIDevice *device = &named[t.config.n_cdi_devices];

    runtime__v1__cdidevice__init(device);
    device->name = (char *)name;
    named_list[t.config.n_cdi_devices++] = device;
}

static void annotate(const char *value)
{
    runtime__v1__container_config__annotations_entry__init(&annotation);
    annotation.key = (char *)"cdi.k8s.io/plugin";
    annotation.value = (char *)value;
    t.config.annotations = annotations;
    t.config.n_annotations = 1;
}

/* The variables behind those that every container has. */
static const char *env(void)
{
    struct json_object *all = json_get(json_get(t.out, "process"), "env");

    return json_text(all) +
           strlen("[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:"
                  "/bin\",\"HOSTNAME=podhost\"");
}

static void test_what_a_file_says_for_all_comes_once_and_first(void **state)
{
    (void)state;
    store("a", "containerEdits: {env: [ALL=a], hooks: [{hookName: poststop, path: /h}]}\n"
               "devices: [{name: 1, containerEdits: {env: [ONE=1, X=1]}},"
               " {name: 2, containerEdits: {env: [ALL=2, X=2]}}]\n");
    store("b", "devices: [{name: 1, containerEdits: {env: [B=1]}}]\n");
    ask_for("v.com/a=1");
    ask_for("v.com/a=2");
    annotate("v.com/b=1,v.com/a=1");
    build();
    assert_string_equal(env(), ",\"ALL=2\",\"ONE=1\",\"X=2\",\"B=1\"]");
    assert_string_equal(part("hooks", NULL), "{\"poststop\":[{\"path\":\"/h\"}]}");
}

static void test_what_cannot_be_found_is_named(void **state)
{
    (void)state;
    store("a", "devices: [{name: 1, containerEdits: {env: [A=1]}}]\n");
    ask_for("v.com/a=1");
    ask_for("v.com/a=2");
    ask_for("other.com/x=y");
    expect_refusal(
        "CDI device injection failed: unresolvable CDI devices v.com/a=2, other.com/x=y");
    t.config.n_cdi_devices = 1;
    annotate("v.com/a=1,nonsense");
    expect_refusal("annotation cdi.k8s.io/plugin: \"nonsense\" is not the name of a CDI device");
    annotate("");
    expect_refusal("it names no device");
    t.config.n_annotations = 0;
    t.in.cdi = (cdi_cache_free(t.in.cdi), NULL);
    expect_refusal("no cdi_spec_dirs are configured");
}

static void test_device_nodes_are_filled_in_from_the_host(void **state)
{
    (void)state;
    store("a", "devices:\n- name: x\n  containerEdits:\n    deviceNodes:\n"
               "    - {path: /dev/nought, hostPath: /dev/null, permissions: r, uid: 7}\n"
               "    - {path: /dev/zero}\n"
               "    - {path: /dev/zero, type: b, major: 250, minor: 9, fileMode: 0600}\n"
               "    - {path: /dev/pipe, type: p}\n");
    t.user = (struct oci_user){.uid = 1000, .gid = 100};
    ask_for("v.com/a=x");
    build();
    assert_string_equal(
        part("linux", "devices"),
        "[{\"path\":\"/dev/nought\",\"uid\":7,\"type\":\"c\",\"major\":1,\"minor\":3,"
        "\"fileMode\":438,\"gid\":100},"
        "{\"path\":\"/dev/zero\",\"type\":\"b\",\"major\":250,\"minor\":9,\"fileMode\":384,"
        "\"uid\":1000,\"gid\":100},"
        "{\"path\":\"/dev/pipe\",\"type\":\"p\",\"uid\":1000,\"gid\":100}]");
    assert_string_equal(
        part("linux", "resources"),
        "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
        "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":3,\"access\":\"r\"},"
        "{\"allow\":true,\"type\":\"c\",\"major\":1,\"minor\":5,\"access\":\"rwm\"},"
        "{\"allow\":true,\"type\":\"b\",\"major\":250,\"minor\":9,\"access\":\"rwm\"}]}");
    store("a", "devices: [{name: x, containerEdits: {deviceNodes: [{path: /dev/no-such}]}}]\n");
    expect_refusal("deviceNodes: host device \"/dev/no-such\": No such file or directory");
    store("a",
          "devices: [{name: x, containerEdits: {deviceNodes: [{path: /dev/x, hostPath: /}]}}]\n");
    expect_refusal("deviceNodes: host device \"/\": No such device");
    store("a",
          "devices: [{name: x, containerEdits: {deviceNodes: [{path: /dev/null, type: b}]}}]\n");
    expect_refusal("\"/dev/null\" is of type c, not b");
    t.user = (struct oci_user){0};
}

static void test_mounts_take_their_place(void **state)
{
    struct json_object *mounts;
    size_t n_before;

    (void)state;
    store("a", "devices:\n- name: x\n  containerEdits:\n    mounts:\n"
               "    - {hostPath: /a, containerPath: /deep/er/still, options: [ro, rbind]}\n"
               "    - {hostPath: /h, containerPath: /etc/hosts, type: bind}\n"
               "    - {hostPath: /b, containerPath: /top}\n");
    build();
    n_before = json_len(json_get(t.out, "mounts"));
    ask_for("v.com/a=x");
    build();
    mounts = json_get(t.out, "mounts");
    assert_int_equal(json_len(mounts), n_before + 2); /* the third takes the place of one */
    assert_string_equal(json_text(mount_at("/deep/er/still")),
                        "{\"destination\":\"/deep/er/still\",\"source\":\"/a\","
                        "\"options\":[\"ro\",\"rbind\"]}");
    assert_string_equal(json_text(mount_at("/etc/hosts")),
                        "{\"destination\":\"/etc/hosts\",\"type\":\"bind\",\"source\":\"/h\"}");
    assert_ptr_equal(json_at(mounts, json_len(mounts) - 2), mount_at("/sys/fs/cgroup"));
    assert_ptr_equal(json_at(mounts, json_len(mounts) - 1), mount_at("/deep/er/still"));
    assert_ptr_equal(json_at(mounts, 3), mount_at("/top"));
}

static void test_the_rest_goes_where_it_belongs(void **state)
{
    uint32_t groups[] = {5};

    (void)state;
    store("a", "devices:\n- name: x\n  containerEdits:\n"
               "    hooks:\n"
               "    - {hookName: createContainer, path: /bin/a, args: [a, b], timeout: 3}\n"
               "    - {hookName: prestart, path: /bin/b, env: [A=b]}\n"
               "    intelRdt: {closID: gold, enableMonitoring: true}\n"
               "    additionalGids: [0, 5, 6, 6]\n");
    t.user = (struct oci_user){.groups = groups, .n_groups = 1};
    ask_for("v.com/a=x");
    build();
    assert_string_equal(part("hooks", NULL),
                        "{\"createContainer\":[{\"path\":\"/bin/a\",\"args\":[\"a\",\"b\"],"
                        "\"timeout\":3}],\"prestart\":[{\"path\":\"/bin/b\",\"env\":[\"A=b\"]}]}");
    assert_string_equal(part("linux", "intelRdt"),
                        "{\"closID\":\"gold\",\"enableMonitoring\":true}");
    assert_string_equal(part("process", "user"), "{\"uid\":0,\"gid\":0,\"additionalGids\":[5,6]}");
    t.user = (struct oci_user){0};
}

static void test_network_devices_need_a_runtime_that_knows_them(void **state)
{
    (void)state;
    store("a", "devices: [{name: x, containerEdits: {netDevices: [{hostInterfaceName: eth7,"
               " name: net0}]}}]\n");
    ask_for("v.com/a=x");
    expect_refusal("v.com/a=x has netDevices, which the OCI runtime does not know");
    t.features.net_devices = true;
    build();
    assert_string_equal(part("linux", "netDevices"), "{\"eth7\":{\"name\":\"net0\"}}");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up_cdi, tear_down_cdi)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_what_a_file_says_for_all_comes_once_and_first),
        WITH(test_what_cannot_be_found_is_named),
        WITH(test_device_nodes_are_filled_in_from_the_host),
        WITH(test_mounts_take_their_place),
        WITH(test_the_rest_goes_where_it_belongs),
        WITH(test_network_devices_need_a_runtime_that_knows_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
