// SPDX-License-Identifier: Apache-2.0
#include "oci/blockio.h"

#include <sys/sysmacros.h>

#include "oci/spec_fixture.h"

static Runtime__V1__ContainerConfig__AnnotationsEntry own, *owns[] = {&own};
static Runtime__V1__PodSandboxConfig__AnnotationsEntry pods[2], *pod_list[] = {&pods[0], &pods[1]};

static const char FILE_TEXT[] = "Classes:\n"
                                "  slow:\n"
                                "  - Weight: 80\n"
                                "  - Devices: [\"%s/disk*\"]\n"
                                "    weight: 400\n"
                                "    ThrottleReadBps: 60M\n"
                                "    throttleWriteIOPS: 1k\n"
                                "  fast: [{Weight: 1000}]\n"
                                "  nothing:\n"
                                "  gone: [{Devices: [/no/such], Weight: 10}]\n";

static void read_classes(void)
{
    AUTO_FREE char *text = xasprintf(FILE_TEXT, t.dir);

    t.in.policy.blockio_classes = oci_blockio_parse(text, strlen(text), &t.err);
    if (!t.in.policy.blockio_classes)
        fail_msg("%s", t.err.text);
}

static void annotate_container(const char *key, const char *value)
{
    runtime__v1__container_config__annotations_entry__init(&own);
    own.key = (char *)key;
    own.value = (char *)value;
    t.config.annotations = owns;
    t.config.n_annotations = 1;
}

static void annotate_pod(const char *key, const char *value)
{
    Runtime__V1__PodSandboxConfig__AnnotationsEntry *entry = &pods[t.pod.n_annotations++];

    runtime__v1__pod_sandbox_config__annotations_entry__init(entry);
    entry->key = (char *)key;
    entry->value = (char *)value;
    t.pod.annotations = pod_list;
}

static const char *block_io(void)
{
    struct json_object *value =
        json_get(json_get(json_get(t.out, "linux"), "resources"), "blockIO");

    return value ? json_text(value) : "nothing";
}

static void test_a_class_is_found_from_the_nearest_annotation(void **state)
{
    (void)state;
    read_classes();
    build();
    assert_string_equal(block_io(), "nothing");
    annotate_pod("blockio.resources.beta.kubernetes.io/pod", "nothing");
    build();
    assert_string_equal(block_io(), "{}");
    annotate_pod("blockio.resources.beta.kubernetes.io/container.web", "fast");
    build();
    assert_string_equal(block_io(), "{\"weight\":1000}");
    annotate_container("io.kubernetes.cri.blockio-class", "");
    build();
    assert_string_equal(block_io(), "nothing");
    annotate_container("io.kubernetes.cri.blockio-class", "medium");
    expect_refusal("block I/O class \"medium\" is not in the blockio_config_file");
    annotate_container("io.kubernetes.cri.blockio-class", "gone");
    expect_refusal("block I/O class \"gone\": no block device of the host fits /no/such");
    json_object_put(t.in.policy.blockio_classes);
    t.in.policy.blockio_classes = NULL;
    expect_refusal("block I/O class \"gone\": no blockio_config_file is configured");
}

static void test_limits_are_those_of_devices(void **state)
{
    AUTO_FREE char *disk = xasprintf("%s/disk1", t.dir);

    (void)state;
    put("disk0"); /* no device */
    if (mknod(disk, S_IFBLK | 0600, makedev(7, 200)) < 0)
        skip();
    read_classes();
    annotate_container("io.kubernetes.cri.blockio-class", "slow");
    build();
    assert_string_equal(block_io(),
                        "{\"weight\":80,"
                        "\"weightDevice\":[{\"major\":7,\"minor\":200,\"weight\":400}],"
                        "\"throttleReadBpsDevice\":[{\"major\":7,\"minor\":200,\"rate\":60000000}],"
                        "\"throttleWriteIOPSDevice\":[{\"major\":7,\"minor\":200,\"rate\":1000}]}");
    json_object_put(t.in.policy.blockio_classes);
}

static void test_a_wrong_file_is_told_apart(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[]", "it is no mapping"},
        {"Class: {}", "Class is not known"},
        {"Classes: []", "Classes are no mapping"},
        {"Classes: {a: {}}", "class a: it is no list"},
        {"Classes: {a: [1]}", "class a: 0: it is no mapping"},
        {"Classes: {a: [{Weight: 5}]}", "class a: 0: Weight: 5 is not from 10 to 1000"},
        {"Classes: {a: [{Weight: 5000}]}", "class a: 0: Weight: "},
        {"Classes: {a: [{Speed: 5}]}", "Speed: it is not known"},
        {"Classes: {a: [{ThrottleReadBps: 5}]}", "limits without Devices"},
        {"Classes: {a: [{Devices: [vda]}]}", "Devices: \"vda\" is no absolute path"},
        {"Classes: {a: [{Devices: []}]}", "Devices: it is no list of paths"},
        {"Classes: {a: [{Devices: [/a], ThrottleReadBps: x}]}", "ThrottleReadBps: "},
        {"Classes: {a: [{Devices: [/a], ThrottleReadBps: [1]}]}", "it is no number"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        JSON_AUTO *tree = oci_blockio_parse(cases[i].text, strlen(cases[i].text), &err);

        if (tree || !strstr(err.text, cases[i].words))
            fail_msg("%s: \"%s\"", cases[i].text, tree ? "it was accepted" : err.text);
    }
}

/* As the kernel shows it: a folder for each group. */
static void test_rdt_classes_are_groups_of_the_kernel(void **state)
{
    AUTO_FREE char *gold = xasprintf("%s/gold", t.dir);

    (void)state;
    t.host.resctrl = t.dir;
    annotate_pod("rdt.resources.beta.kubernetes.io/pod", "gold");
    expect_refusal("RDT class \"gold\": the kernel has no resctrl");
    put("schemata");
    expect_refusal("RDT class \"gold\": there is no such group");
    assert_int_equal(mkdir(gold, 0700), 0);
    put("gold/schemata");
    build();
    assert_string_equal(part("linux", "intelRdt"), "{\"closID\":\"gold\"}");
    annotate_container("io.kubernetes.cri.rdt-class", "../gold");
    expect_refusal("RDT class \"../gold\" is no name of a group");
    annotate_container("io.kubernetes.cri.rdt-class", "info");
    expect_refusal("RDT class \"info\" is no name of a group");
    annotate_container("io.kubernetes.cri.rdt-class", "system/default");
    build();
    assert_string_equal(part("linux", "intelRdt"), "nothing");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_a_class_is_found_from_the_nearest_annotation),
        PLAIN(test_limits_are_those_of_devices),
        PLAIN(test_a_wrong_file_is_told_apart),
        PLAIN(test_rdt_classes_are_groups_of_the_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
