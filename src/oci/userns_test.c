// SPDX-License-Identifier: Apache-2.0
#include "oci/userns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

/* One mapping of each kind, in a namespace of mode POD, for the tests to spoil. */
static struct {
    Runtime__V1__IDMapping uid, gid, more;
    Runtime__V1__IDMapping *uids[2], *gids[2];
    Runtime__V1__UserNamespace userns;
    struct idmap ids;
    struct error err;
} t;

static int set_up(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    runtime__v1__idmapping__init(&t.uid);
    runtime__v1__idmapping__init(&t.gid);
    runtime__v1__idmapping__init(&t.more);
    runtime__v1__user_namespace__init(&t.userns);
    t.uid.host_id = 100000;
    t.uid.length = 65536;
    t.gid.host_id = 200000;
    t.gid.length = 1000;
    t.more.length = 1;
    t.uids[0] = &t.uid;
    t.gids[0] = &t.gid;
    t.uids[1] = t.gids[1] = &t.more;
    t.userns.mode = RUNTIME__V1__NAMESPACE_MODE__POD;
    t.userns.uids = t.uids;
    t.userns.n_uids = 1;
    t.userns.gids = t.gids;
    t.userns.n_gids = 1;
    return 0;
}

static void expect(const char *words)
{
    struct idmap untouched = {{7, 7}, {7, 7}};

    t.err = (struct error){0};
    t.ids = untouched;
    assert_int_equal(oci_userns_parse(&t.userns, &t.ids, &t.err), -1);
    assert_int_equal(t.err.code, ERROR_INVALID);
    assert_true(idmap_is_same(&t.ids, &untouched));
    if (!strstr(t.err.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, t.err.text);
}

static void test_a_range_of_each_kind_is_taken(void **state)
{
    uint32_t id;

    (void)state;
    assert_int_equal(oci_userns_parse(&t.userns, &t.ids, &t.err), 0);
    assert_true(idmap_is_set(&t.ids));
    assert_true(idmap_find(&t.ids.uids, 0, &id) && id == 100000);
    assert_true(idmap_find(&t.ids.uids, 65535, &id) && id == 165535);
    assert_false(idmap_find(&t.ids.uids, 65536, &id));
    assert_true(idmap_find(&t.ids.gids, 999, &id) && id == 200999);
    assert_false(idmap_find(&t.ids.gids, 1000, &id));
}

static void test_none_and_the_nodes_are_no_namespace(void **state)
{
    uint32_t id;

    (void)state;
    assert_int_equal(oci_userns_parse(NULL, &t.ids, &t.err), 0);
    assert_false(idmap_is_set(&t.ids));
    assert_true(idmap_find(&t.ids.uids, 4000000000, &id) && id == 4000000000);
    t.userns.mode = RUNTIME__V1__NAMESPACE_MODE__NODE;
    expect("mode NODE has no mappings, not 1 of uids and 1 of gids");
    t.userns.n_uids = t.userns.n_gids = 0;
    assert_int_equal(oci_userns_parse(&t.userns, &t.ids, &t.err), 0);
    assert_false(idmap_is_set(&t.ids));
}

static void test_other_modes_are_refused(void **state)
{
    (void)state;
    t.userns.mode = RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
    expect("userns_options.mode: CONTAINER (1) is neither POD nor NODE");
    t.userns.mode = RUNTIME__V1__NAMESPACE_MODE__TARGET;
    expect("userns_options.mode: TARGET (3)");
    t.userns.mode = (Runtime__V1__NamespaceMode)9;
    expect("userns_options.mode: unknown (9)");
}

static void test_what_cannot_be_mapped_is_refused(void **state)
{
    (void)state;
    t.userns.n_uids = 2;
    expect("userns_options.uids: 2 mappings");
    t.userns.n_uids = 0;
    expect("userns_options.uids: 0 mappings");
    t.userns.n_uids = 1;
    t.userns.n_gids = 0;
    expect("userns_options.gids: 0 mappings");
    t.userns.n_gids = 1;
    t.uid.length = 0;
    expect("userns_options.uids: length 0");
    t.uid.length = UINT32_MAX - 100000 + 1;
    expect("userns_options.uids: host_id 100000 and length 4294867296 go beyond");
    t.uid.length = UINT32_MAX - 100000;
    t.gid.container_id = 1;
    expect("userns_options.gids: container_id 1 leaves id 0");
    t.gid.container_id = 0;
    assert_int_equal(oci_userns_parse(&t.userns, &t.ids, &t.err), 0);
}

static void expect_other(const Runtime__V1__UserNamespace *a, const Runtime__V1__UserNamespace *b,
                         const char *words)
{
    assert_int_equal(oci_userns_check_same(a, b, &t.err), -1);
    assert_int_equal(t.err.code, ERROR_INVALID);
    if (!strstr(t.err.text, words))
        fail_msg("\"%s\" is not in \"%s\"", words, t.err.text);
}

static void test_a_container_says_what_its_pod_says(void **state)
{
    Runtime__V1__UserNamespace other = t.userns;
    Runtime__V1__IDMapping changed = t.uid, *uids[] = {&changed};

    (void)state;
    assert_int_equal(oci_userns_check_same(NULL, NULL, &t.err), 0);
    assert_int_equal(oci_userns_check_same(&other, &t.userns, &t.err), 0);
    expect_other(NULL, &t.userns, "only the pod has them");
    expect_other(&t.userns, NULL, "only the container has them");
    other.mode = RUNTIME__V1__NAMESPACE_MODE__NODE;
    expect_other(&other, &t.userns, "mode NODE instead of POD");
    other = t.userns;
    other.n_gids = 0;
    expect_other(&other, &t.userns, "mappings are others");
    other = t.userns;
    other.uids = uids;
    assert_int_equal(oci_userns_check_same(&other, &t.userns, &t.err), 0);
    changed.length--;
    expect_other(&other, &t.userns, "mappings are others");
}

static void test_a_mount_has_mappings_of_both_kinds(void **state)
{
    Runtime__V1__Mount mount = RUNTIME__V1__MOUNT__INIT;
    JSON_AUTO *out = json_object_new_object();

    (void)state;
    mount.uidmappings = t.uids;
    mount.n_uidmappings = 2;
    t.more.container_id = 65535;
    assert_int_equal(oci_userns_add_of_mount(out, &mount, &t.err), -1);
    assert_string_equal(t.err.text, "uidMappings: container_id 65535, host_id 0, length 1 overlaps "
                                    "with the one of container_id 0, host_id 100000, length 65536");
    t.more.container_id = 65536;
    t.more.host_id = 165535;
    assert_int_equal(oci_userns_add_of_mount(out, &mount, &t.err), -1);
    assert_non_null(strstr(t.err.text, "host_id 165535, length 1 overlaps"));
    t.more.host_id = 0;
    assert_int_equal(oci_userns_add_of_mount(out, &mount, &t.err), -1);
    assert_non_null(strstr(t.err.text, "gidMappings: 0 mappings"));
    mount.gidmappings = t.gids;
    mount.n_gidmappings = 1;
    t.more.container_id = 70000;
    assert_int_equal(oci_userns_add_of_mount(out, &mount, &t.err), 0);
    assert_string_equal(json_text(out),
                        "{\"uidMappings\":[{\"containerID\":0,\"hostID\":100000,\"size\":65536},"
                        "{\"containerID\":70000,\"hostID\":0,\"size\":1}],\"gidMappings\":[{"
                        "\"containerID\":0,\"hostID\":200000,\"size\":1000}]}");
    t.more.length = UINT32_MAX;
    assert_int_equal(oci_userns_add_of_mount(out, &mount, &t.err), -1);
    assert_non_null(strstr(t.err.text, "uidMappings: container_id 70000 and length 4294967295"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_range_of_each_kind_is_taken, set_up),
        cmocka_unit_test_setup(test_none_and_the_nodes_are_no_namespace, set_up),
        cmocka_unit_test_setup(test_other_modes_are_refused, set_up),
        cmocka_unit_test_setup(test_what_cannot_be_mapped_is_refused, set_up),
        cmocka_unit_test_setup(test_a_container_says_what_its_pod_says, set_up),
        cmocka_unit_test_setup(test_a_mount_has_mappings_of_both_kinds, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
