// SPDX-License-Identifier: Apache-2.0
#include "oci/base_spec.h"

#include "oci/spec_fixture.h"

static void set_base(const char *text)
{
    json_object_put(t.in.policy.base_spec);
    t.in.policy.base_spec = base_spec_parse(text, strlen(text), &t.err);
    if (!t.in.policy.base_spec)
        fail_msg("%s", t.err.text);
}

static int tear_down_base(void **state)
{
    json_object_put(t.in.policy.base_spec);
    return tear_down(state);
}

static void test_what_is_not_told_is_filled_in(void **state)
{
    (void)state;
    set_base("{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":64,\"soft\":64}],"
             "\"cwd\":\"/base\",\"noNewPrivileges\":true},"
             "\"linux\":{\"resources\":{\"pids\":{\"limit\":100},\"devices\":[]}},"
             "\"hooks\":{\"poststop\":[{\"path\":\"/bin/true\"}]},\"annotations\":{\"a\":\"b\"}}");
    t.linux.resources = NULL;
    build();
    assert_string_equal(part("process", "rlimits"),
                        "[{\"type\":\"RLIMIT_NOFILE\",\"hard\":64,\"soft\":64}]");
    assert_string_equal(part("process", "cwd"), "\"/\"");
    assert_string_equal(part("process", "noNewPrivileges"), "false");
    assert_string_equal(part("linux", "resources"),
                        "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
                        "\"pids\":{\"limit\":100}}");
    assert_string_equal(part("hooks", NULL), "{\"poststop\":[{\"path\":\"/bin/true\"}]}");
    assert_string_equal(part("annotations", "a"), "\"b\"");
}

static void test_what_is_told_by_leaving_it_out_stays_out(void **state)
{
    (void)state;
    set_base("{\"hostname\":\"base\",\"root\":{\"path\":\"/\"},"
             "\"process\":{\"terminal\":true,\"selinuxLabel\":\"x\",\"user\":{\"uid\":7}},"
             "\"linux\":{\"maskedPaths\":[\"/a\"],\"readonlyPaths\":[\"/a\"],"
             "\"uidMappings\":[],\"rootfsPropagation\":\"shared\",\"mountLabel\":\"x\","
             "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"}}}");
    build();
    assert_string_equal(part("hostname", NULL), "nothing");
    assert_string_equal(part("root", "path"), "\"rootfs\"");
    assert_string_equal(part("process", "terminal"), "nothing");
    assert_string_equal(part("process", "selinuxLabel"), "nothing");
    assert_string_equal(part("process", "user"), "{\"uid\":0,\"gid\":0}");
    assert_string_equal(part("linux", "maskedPaths"), "nothing");
    assert_string_equal(part("linux", "readonlyPaths"), "nothing");
    assert_string_equal(part("linux", "uidMappings"), "nothing");
    assert_string_equal(part("linux", "rootfsPropagation"), "nothing");
    assert_string_equal(part("linux", "mountLabel"), "nothing");
    assert_string_equal(part("linux", "seccomp"), "{\"defaultAction\":\"SCMP_ACT_ALLOW\"}");
    t.security.privileged = t.pod_security.privileged = true;
    build();
    assert_string_equal(part("linux", "seccomp"), "nothing");
}

static void test_mounts_come_for_places_that_are_free(void **state)
{
    (void)state;
    set_base("{\"mounts\":[{\"destination\":\"/proc\",\"type\":\"tmpfs\"},"
             "{\"destination\":\"/opt\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}]}");
    build();
    assert_string_equal(json_text(mount_at("/opt")),
                        "{\"destination\":\"/opt\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"}");
    assert_string_equal(json_get_str(mount_at("/proc"), "type"), "proc");
    assert_ptr_equal(json_at(json_get(t.out, "mounts"), 3), mount_at("/opt")); /* by depth */
}

static void test_a_wrong_file_is_refused(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {{"[]", "it is no object"},
                 {"{\"process\":1}", "process is no object"},
                 {"{\"mounts\":[{}]}", "mounts: 0: destination is missing"},
                 {"{", "JSON at byte"}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_null(base_spec_parse(cases[i].text, strlen(cases[i].text), &t.err));
        assert_non_null(strstr(t.err.text, cases[i].words));
    }
    assert_null(base_spec_load("/no/such", &t.err));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down_base)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH(test_what_is_not_told_is_filled_in),
        WITH(test_what_is_told_by_leaving_it_out_stays_out),
        WITH(test_mounts_come_for_places_that_are_free),
        WITH(test_a_wrong_file_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
