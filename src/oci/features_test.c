// SPDX-License-Identifier: Apache-2.0
#include "oci/features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

static void test_parse_finds_what_a_runtime_tells(void **state)
{
    static const char text[] =
        "{\"ociVersionMax\":\"1.1.0\",\"mountOptions\":[\"ro\",\"rro\"],\"linux\":{\"namespaces\":["
        "\"cgroup\",\"user\"],\"cgroup\":{\"v1\":true,\"v2\":true,\"systemd\":true},\"seccomp\":{"
        "\"enabled\":true},\"apparmor\":{\"enabled\":false},\"mountExtensions\":{\"idmap\":{"
        "\"enabled\":true}}},\"annotations\":{\"org.opencontainers.runc.version\":\"1.1.5\"}}\n";
    struct oci_features f;
    struct error err = {0};

    (void)state;
    assert_int_equal(oci_features_parse(text, strlen(text), &f, &err), 0);
    assert_true(f.known && f.recursive_read_only && f.user_namespaces && f.idmapped_mounts);
    assert_true(f.cgroup_v1 && f.cgroup_v2 && f.systemd_cgroups && f.seccomp);
    assert_false(f.apparmor || f.selinux);
    assert_int_equal(f.family, OCI_FAMILY_RUNC);
}

static void test_parse_of_little_tells_little(void **state)
{
    struct oci_features f;
    struct error err = {0};

    (void)state;
    assert_int_equal(oci_features_parse("{}", 2, &f, &err), 0);
    assert_true(f.known);
    assert_false(f.recursive_read_only || f.seccomp);
    assert_int_equal(f.family, OCI_FAMILY_OTHER);
    assert_int_equal(oci_features_parse("[]", 2, &f, &err), -1);
    assert_int_equal(oci_features_parse("", 0, &f, &err), -1);
    assert_int_equal(oci_features_parse("{\"linux\":[1],\"mountOptions\":{}}", 31, &f, &err), 0);
}

static void test_crun_is_known_by_its_version(void **state)
{
    struct oci_features f;

    (void)state;
    assert_true(oci_features_of_version("crun version 1.8.1\ncommit: f8\n+SYSTEMD +SECCOMP\n", &f));
    assert_true(f.known && f.recursive_read_only && f.user_namespaces && f.idmapped_mounts);
    assert_true(f.seccomp && f.systemd_cgroups && f.cgroup_v1 && f.cgroup_v2);
    assert_int_equal(f.family, OCI_FAMILY_CRUN);
    assert_false(f.apparmor || f.selinux);
    assert_true(oci_features_of_version("crun version 1.8\n", &f));
    assert_true(f.recursive_read_only);
    assert_false(f.idmapped_mounts);
    assert_true(oci_features_of_version("crun version 1.3\n", &f));
    assert_false(f.recursive_read_only || f.idmapped_mounts);
    assert_true(oci_features_of_version("crun version 2.0\n", &f));
    assert_true(f.recursive_read_only && f.idmapped_mounts);
    assert_false(oci_features_of_version("runc version 1.1.5\n", &f));
    assert_false(oci_features_of_version("crun version\n", &f));
    assert_false(oci_features_of_version("", &f));
}

static void test_load_asks_the_runtime(void **state)
{
    struct oci_features f;
    struct error err = {0};

    (void)state;
    assert_int_equal(oci_features_load("/bin/false", &DEADLINE_NONE, &f, &err), 0);
    assert_false(f.known);
    assert_int_equal(oci_features_load("/bin/echo", &DEADLINE_NONE, &f, &err), 0);
    assert_false(f.known);
    assert_int_equal(oci_features_load("/nonexistent", &DEADLINE_NONE, &f, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
    if (file_exists("/usr/bin/crun")) {
        assert_int_equal(oci_features_load("/usr/bin/crun", &DEADLINE_NONE, &f, &err), 0);
        assert_true(f.known && f.user_namespaces);
    }
    if (!file_exists("/usr/bin/runc"))
        skip();
    assert_int_equal(oci_features_load("/usr/bin/runc", &DEADLINE_NONE, &f, &err), 0);
    assert_true(f.known);
    assert_true(f.seccomp);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_finds_what_a_runtime_tells),
        cmocka_unit_test(test_parse_of_little_tells_little),
        cmocka_unit_test(test_crun_is_known_by_its_version),
        cmocka_unit_test(test_load_asks_the_runtime),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
