// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_spec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

/* A file of that version with that device. */
static char *with(const char *version, const char *device)
{
    return xasprintf("{\"cdiVersion\":\"%s\",\"kind\":\"vendor.com/class\",\"devices\":[%s]}",
                     version, device);
}

static char *with_edits(const char *version, const char *edits)
{
    AUTO_FREE char *device = xasprintf("{\"name\":\"one\",\"containerEdits\":{%s}}", edits);

    return with(version, device);
}

static void expect(const char *text, bool is_yaml)
{
    struct error err;
    JSON_AUTO *file = cdi_spec_parse(text, strlen(text), is_yaml, &err);

    if (!file)
        fail_msg("%s: %s", text, err.text);
}

static void expect_refusal(const char *text, const char *words)
{
    struct error err = {0};
    JSON_AUTO *file = cdi_spec_parse(text, strlen(text), false, &err);

    if (file)
        fail_msg("it was accepted: %s", text);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, err.text);
}

static void test_a_file_with_everything_is_read(void **state)
{
    (void)state;
    expect("cdiVersion: v1.1.0\n"
           "kind: vendor.com/class.sub\n"
           "annotations: {a: b}\n"
           "containerEdits: {env: [A=b]}\n"
           "devices:\n"
           "- name: 0\n"
           "  annotations: {c: d}\n"
           "  containerEdits:\n"
           "    env: [X=1, Y=]\n"
           "    deviceNodes:\n"
           "    - {path: /dev/x, hostPath: /dev/y, type: c, major: 1, minor: 3, fileMode: 0666,\n"
           "       permissions: rw, uid: 1, gid: 2}\n"
           "    netDevices: [{hostInterfaceName: eth1, name: net0}]\n"
           "    hooks: [{hookName: createContainer, path: /bin/true, args: [true], env: [A=b], "
           "timeout: 3}]\n"
           "    mounts: [{hostPath: /a, containerPath: /b, options: [ro], type: bind}]\n"
           "    intelRdt: {closID: x, l3CacheSchema: y, memBwSchema: z, schemata: [s],\n"
           "      enableMonitoring: true, enableCMT: true, enableMBM: false}\n"
           "    additionalGids: [1, 4294967295]\n",
           true);
}

static void test_what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *edits, *words;
    } cases[] = {
        {"", "devices: 0: device \"one\" has no edits"},
        {"\"env\":[]", "has no edits"},
        {"\"env\":[\"A\"]", "devices: 0: containerEdits: env \"A\" is not NAME=VALUE"},
        {"\"env\":[\"=A\"]", "is not NAME=VALUE"},
        {"\"env\":[1]", "env \"1\" is not NAME=VALUE"},
        {"\"env\":[[]]", "containerEdits: env: 0: is of the wrong type"},
        {"\"env\":{}", "env: is of the wrong type"},
        {"\"nope\":1", "containerEdits: nope: is no member that is known"},
        {"\"deviceNodes\":[{}]", "deviceNodes: 0: path is missing"},
        {"\"deviceNodes\":[{\"path\":\"\"}]", "path is missing"},
        {"\"deviceNodes\":[{\"path\":\"/d\",\"type\":\"x\"}]", "type \"x\" is none of b, c, u, p"},
        {"\"deviceNodes\":[{\"path\":\"/d\",\"permissions\":\"rx\"}]", "permissions \"rx\""},
        {"\"deviceNodes\":[{\"path\":\"/d\",\"major\":\"1\"}]", "major: is of the wrong type"},
        {"\"deviceNodes\":[{\"path\":\"/d\",\"uid\":-1}]", "uid: -1 is out of range"},
        {"\"hooks\":[{\"path\":\"/h\"}]", "hookName is missing"},
        {"\"hooks\":[{\"path\":\"/h\",\"hookName\":\"later\"}]", "hookName \"later\" is not known"},
        {"\"mounts\":[{\"hostPath\":\"/h\"}]", "mounts: 0: containerPath is missing"},
        {"\"additionalGids\":[4294967296]", "additionalGids: 0: 4294967296 is out of range"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *text = with_edits("1.1.0", cases[i].edits);

        expect_refusal(text, cases[i].words);
    }
}

static void test_names_are_checked(void **state)
{
    static const char *const good[] = {"a/b=c", "vendor.com/class=0", "v-1_x/c.d=a:b.c"};
    static const char *const bad[] = {"",       "a",       "a/b",    "a/b=",   "/b=c",
                                      "a/=c",   "1a/b=c",  "a./b=c", "a/b=c:", "a/b=:c",
                                      "a /b=c", "a/b=c/d", "a/b/c=d"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!cdi_spec_is_device(good[i]))
            fail_msg("%s", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (cdi_spec_is_device(bad[i]))
            fail_msg("%s", bad[i]);
}

static void test_members_need_their_version(void **state)
{
    static const struct {
        const char *edits, *before, *since;
    } cases[] = {
        {"\"mounts\":[{\"hostPath\":\"/a\",\"containerPath\":\"/b\",\"type\":\"x\"}]", "0.3.0",
         "0.4.0"},
        {"\"deviceNodes\":[{\"path\":\"/a\",\"hostPath\":\"/b\"}]", "0.4.0", "0.5.0"},
        {"\"additionalGids\":[1]", "0.6.0", "0.7.0"},
        {"\"intelRdt\":{\"closID\":\"x\"}", "0.6.0", "0.7.0"},
        {"\"intelRdt\":{\"schemata\":[\"x\"]}", "1.0.0", "1.1.0"},
        {"\"netDevices\":[{\"hostInterfaceName\":\"a\",\"name\":\"b\"}]", "1.0.0", "1.1.0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *early = with_edits(cases[i].before, cases[i].edits);
        AUTO_FREE char *since = with_edits(cases[i].since, cases[i].edits);
        AUTO_FREE char *words =
            xasprintf("needs cdiVersion %s or later, not %s", cases[i].since, cases[i].before);

        expect_refusal(early, words);
        expect(since, false);
    }
}

static void test_members_that_say_nothing_need_no_version(void **state)
{
    AUTO_FREE char *text =
        with_edits("0.3.0", "\"env\":[\"A=b\"],\"additionalGids\":[],\"netDevices\":[],"
                            "\"intelRdt\":null,\"deviceNodes\":[{\"path\":\"/d\","
                            "\"hostPath\":\"\"}]");

    (void)state;
    expect(text, false);
}

/* As generators for GPUs write them. */
static void test_a_file_of_the_field_is_read(void **state)
{
    (void)state;
    expect("---\n"
           "cdiVersion: 0.5.0\n"
           "kind: vendor.com/gpu\n"
           "devices:\n"
           "- containerEdits:\n"
           "    deviceNodes:\n"
           "    - path: /dev/gpu0\n"
           "    - hostPath: /host/dev/dri/card1\n"
           "      path: /dev/dri/card1\n"
           "    hooks:\n"
           "    - args:\n"
           "      - vendor-ctk\n"
           "      - --link\n"
           "      - ../card1::/dev/dri/by-path/pci-0000:01:00.0-card\n"
           "      hookName: createContainer\n"
           "      path: /usr/bin/vendor-ctk\n"
           "  name: \"0\"\n"
           "- containerEdits:\n"
           "    deviceNodes:\n"
           "    - path: /dev/gpu0\n"
           "  name: all\n"
           "containerEdits:\n"
           "  env:\n"
           "  - VENDOR_VISIBLE_DEVICES=void\n"
           "  mounts:\n"
           "  - containerPath: /usr/lib/libgpu.so.535\n"
           "    hostPath: /usr/lib/libgpu.so.535\n"
           "    options: [ro, nosuid, nodev, bind]\n",
           true);
}

static void test_a_file_is_whole(void **state)
{
    static const char device[] = "{\"name\":\"1\",\"containerEdits\":{\"env\":[\"A=b\"]}}";
    AUTO_FREE char *twice = xasprintf("%s,%s", device, device);
    AUTO_FREE char *doubled = with("1.0.0", twice);
    AUTO_FREE char *empty = with("1.0.0", "");
    AUTO_FREE char *unknown = with("9.0.0", device);
    AUTO_FREE char *digit = with("0.4.0", device);

    (void)state;
    expect_refusal(doubled, "device \"1\" is there twice");
    expect_refusal(empty, "devices are empty");
    expect_refusal(unknown, "cdiVersion \"9.0.0\" is not known");
    expect_refusal(digit, "a name that begins with a digit needs cdiVersion 0.5.0");
    expect_refusal("[]", "it is no object");
    expect_refusal("{\"kind\":\"a/b\"}", "cdiVersion is missing");
    expect_refusal("{\"cdiVersion\":\"0.5.0\",\"kind\":\"a\",\"devices\":[]}", "kind \"a\"");
    expect_refusal("{\"cdiVersion\":\"0.5.0\",\"kind\":\"a/b.c\",\"devices\":[]}",
                   "a class with a dot needs cdiVersion 0.6.0");
    expect_refusal("{", "JSON at byte");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_with_everything_is_read),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_names_are_checked),
        cmocka_unit_test(test_members_need_their_version),
        cmocka_unit_test(test_members_that_say_nothing_need_no_version),
        cmocka_unit_test(test_a_file_of_the_field_is_read),
        cmocka_unit_test(test_a_file_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
