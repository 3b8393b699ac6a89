// SPDX-License-Identifier: Apache-2.0
#include "daemon/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void test_every_key_is_read(void **state)
{
    static const char text[] = "root: /r\nstate: /s\nlog_level: debug\ndefault_runtime: fast\n"
                               "max_container_log_line_size: 100\ncgroup_driver: systemd\n"
                               "runtimes:\n  fast: {path: /bin/fast}\n"
                               "cni:\n  conf_dir: /c\n  bin_dirs: [/a, /b]\n  max_conf_num: 2\n"
                               "registry:\n  config_path: /x:/y\n"
                               "shim: /shim\nimage: {helper: /image}\n";
    struct error err = {0};
    struct config c;

    (void)state;
    config_init(&c);
    assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), 0);
    assert_int_equal(config_finish(&c, &err), 0);
    assert_string_equal(c.root, "/r");
    assert_string_equal(c.socket, "/s/berth.sock");
    assert_string_equal(c.runtimes[0].path, "/bin/fast");
    assert_int_equal(c.n_runtimes, 1);
    assert_int_equal(c.log_line_max, 100);
    assert_int_equal(c.cni_bin_dirs.len, 2);
    assert_string_equal(c.registry_dirs.items[1], "/y");
    config_fini(&c);
}

static void test_keys_about_isolation_are_read(void **state)
{
    static const char text[] =
        "shim: /shim\nimage: {helper: /image}\ndefault_runtime: fast\n"
        "runtimes:\n  fast: {path: /bin/fast, pod_annotations: [a/*],\n"
        "    container_annotations: b, cgroup_writable: true, exec: runtime,\n"
        "    base_runtime_spec: /base.json,\n"
        "    privileged_without_host_devices: true}\n"
        "cdi_spec_dirs: /d1:/d2\nunset_seccomp_profile: runtime/default\n"
        "blockio_config_file: /b\ndisable_apparmor: true\n"
        "enable_selinux: true\nselinux_category_range: 512\n"
        "device_ownership_from_security_context: true\n"
        "enable_unprivileged_ports: false\n"
        "enable_unprivileged_icmp: false\n";
    struct error err = {0};
    struct config c;

    (void)state;
    config_init(&c);
    assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), 0);
    assert_int_equal(config_finish(&c, &err), 0);
    assert_string_equal(c.runtimes[0].pod_annotations.items[0], "a/*");
    assert_string_equal(c.runtimes[0].container_annotations.items[0], "b");
    assert_true(c.runtimes[0].cgroup_writable);
    assert_string_equal(c.runtimes[0].exec, "runtime");
    assert_string_equal(c.runtimes[0].base_runtime_spec, "/base.json");
    assert_true(c.runtimes[0].privileged_without_host_devices);
    assert_string_equal(c.cdi_spec_dirs.items[1], "/d2");
    assert_string_equal(c.unset_seccomp_profile, "runtime/default");
    assert_string_equal(c.blockio_config_file, "/b");
    assert_true(c.disable_apparmor);
    assert_true(c.enable_selinux);
    assert_int_equal(c.selinux_category_range, 512);
    assert_true(c.device_ownership_from_security_context);
    assert_false(c.enable_unprivileged_ports);
    assert_false(c.enable_unprivileged_icmp);
    config_fini(&c);
}

static void test_keys_of_images_and_registries(void **state)
{
    static const char text[] = "registry:\n  auth_file: /auth\n  http_proxy: http://a:1\n"
                               "  https_proxy: http://b:2\n  no_proxy: .lan,10.0.0.0/8\n"
                               "image: {pinned: a:1 b, offline_dir: /o}\n";
    struct error err = {0};
    struct config c;
    (void)state;

    config_init(&c);
    assert_string_equal(c.registry_auth_file, "/etc/berth/auth.json");
    assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), 0);
    assert_string_equal(c.registry_auth_file, "/auth");
    assert_string_equal(c.registry_http_proxy, "http://a:1");
    assert_string_equal(c.registry_https_proxy, "http://b:2");
    assert_string_equal(c.registry_no_proxy, ".lan,10.0.0.0/8");
    assert_string_equal(c.image_offline_dir, "/o");
    assert_int_equal(c.image_pinned.len, 2);
    assert_string_equal(c.image_pinned.items[0], "a:1");
    config_fini(&c);
}

static void test_versions_of_tls_have_two_names(void **state)
{
    static const struct {
        const char *text;
        const char *version;
    } cases[] = {{"1.2", "1.2"},          {"1.3", "1.3"},
                 {"VersionTLS12", "1.2"}, {"VersionTLS13", "1.3"},
                 {"VersionTLS11", NULL},  {"VersionTLS1", NULL},
                 {"VersionTLS", NULL},    {"", NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *text = xasprintf("streaming: {tls: {min_version: \"%s\", helper: /tls}}\n"
                                         "shim: /shim\nimage: {helper: /image}\n",
                                         cases[i].text);
        struct error err = {0};
        struct config c;

        config_init(&c);
        assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), 0);
        assert_int_equal(config_finish(&c, &err), cases[i].version ? 0 : -1);
        if (cases[i].version)
            assert_string_equal(c.stream_tls_min_version, cases[i].version);
        config_fini(&c);
    }
}

static void test_keys_of_streaming_are_read(void **state)
{
    static const char text[] = "streaming:\n  address: \"::1\"\n  port: 10250\n"
                               "  tls: {enabled: true, cert_file: /crt, key_file: /key,"
                               " client_ca_file: /ca, min_version: \"1.3\", helper: /tls}\n"
                               "shim: /shim\nimage: {helper: /image}\n";
    struct error err = {0};
    struct config c;

    (void)state;
    config_init(&c);
    assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), 0);
    assert_int_equal(config_finish(&c, &err), 0);
    assert_string_equal(c.stream_address, "::1");
    assert_int_equal(c.stream_port, 10250);
    assert_true(c.stream_tls);
    assert_string_equal(c.stream_cert_file, "/crt");
    assert_string_equal(c.stream_key_file, "/key");
    assert_string_equal(c.stream_client_ca_file, "/ca");
    assert_string_equal(c.stream_tls_min_version, "1.3");
    assert_string_equal(c.stream_tls_helper, "/tls");
    config_fini(&c);
}

static void test_what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"root: /r\nrot: /x\n", "f line 2: unknown key \"rot\""},
        {"cni:\n  bindirs: []\n", "f line 2: unknown key \"cni.bindirs\""},
        {"max_container_log_line_size: many\n",
         "f line 1: not a number: \"max_container_log_line_size\""},
        {"runtimes:\n  a: {exe: /x}\n", "f line 2: unknown key in a runtime: \"exe\""},
        {"runtimes:\n  a: {}\n", "f line 2: no path for runtime \"a\""},
        {"cni: [1]\n", "f line 1: not a mapping: \"cni\""},
        {"- a\n", "f line 1: not a mapping: \"the file\""},
        {"root: {}\n", "f line 1: not a text: \"root\""},
        {"enable_selinux: 1\n", "f line 1: neither true nor false: \"enable_selinux\""},
        {"runtimes:\n  a: {cgroup_writable: x}\n",
         "f line 2: neither true nor false: \"cgroup_writable\""},
        {"streaming: {port: any}\n", "f line 1: not a number: \"streaming.port\""},
        {"streaming:\n  tls:\n    cert: /c\n", "f line 3: unknown key \"streaming.tls.cert\""},
        {"streaming: {tls: {enabled: yes}}\n",
         "f line 1: neither true nor false: \"streaming.tls.enabled\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct error err = {0};
        struct config c;

        config_init(&c);
        assert_int_equal(config_parse(&c, "f", cases[i].text, strlen(cases[i].text), &err), -1);
        assert_string_equal(err.text, cases[i].why);
        config_fini(&c);
    }
}

static void test_keys_that_do_not_go_together_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"enabled: true, cert_file: /c", "streaming.tls has only one of cert_file and key_file"},
        {"cert_file: /c, key_file: /k",
         "streaming.tls has files, but streaming.tls.enabled is not true"},
        {"enabled: true, min_version: \"1.1\"",
         "streaming.tls.min_version \"1.1\" is neither 1.2 nor 1.3"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *text = xasprintf("shim: /s\nimage: {helper: /i}\n"
                                         "streaming: {tls: {helper: /t, %s}}\n",
                                         cases[i].text);
        struct error err = {0};
        struct config c;

        config_init(&c);
        assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), 0);
        assert_int_equal(config_finish(&c, &err), -1);
        assert_string_equal(err.text, cases[i].why);
        config_fini(&c);
    }
}

static void test_broken_yaml_is_named_with_its_line(void **state)
{
    static const char text[] = "root: /r\n  bad: [\n";
    struct error err = {0};
    struct config c;

    (void)state;
    config_init(&c);
    assert_int_equal(config_parse(&c, "f", text, strlen(text), &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_memory_equal(err.text, "f line 2:", 9);
    config_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_read),
        cmocka_unit_test(test_keys_about_isolation_are_read),
        cmocka_unit_test(test_keys_of_images_and_registries),
        cmocka_unit_test(test_versions_of_tls_have_two_names),
        cmocka_unit_test(test_keys_of_streaming_are_read),
        cmocka_unit_test(test_what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(test_keys_that_do_not_go_together_are_refused),
        cmocka_unit_test(test_broken_yaml_is_named_with_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
