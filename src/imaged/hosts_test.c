// SPDX-License-Identifier: Apache-2.0
#include "imaged/hosts.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/own.h"

/* A root of configuration folders that is gone when the test ends. */
struct root {
    char path[32];
    struct strv roots;
};

static void root_init(struct root *r)
{
    *r = (struct root){.path = "/tmp/berth-hosts-XXXXXX"};
    assert_non_null(mkdtemp(r->path));
    strv_add(&r->roots, r->path);
}

static void root_fini(struct root *r)
{
    struct error err;

    assert_int_equal(file_remove_tree(AT_FDCWD, r->path, &err), 0);
    strv_fini(&r->roots);
}

static void put(const struct root *r, const char *dir, const char *name, const char *text)
{
    AUTO_FREE char *folder = xasprintf("%s/%s", r->path, dir);
    AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
    struct error err;

    assert_int_equal(file_make_dirs(folder, 0755, &err), 0);
    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), 0644, &err), 0);
}

static void load(const struct root *r, const char *domain, struct hosts *out)
{
    struct error err = {0};

    if (hosts_load(r ? &r->roots : NULL, domain, out, &err) < 0)
        fail_msg("%s", err.text);
}

static void test_defaults_fit_the_domain(void **state)
{
    static const struct {
        const char *domain, *authority;
        bool plain, plain_fallback, skip_verify;
    } table[] = {
        {"docker.io", "registry-1.docker.io", false, false, false},
        {"r.io:5000", "r.io:5000", false, false, false},
        {"localhost", "localhost", false, false, true},
        {"localhost:443", "localhost:443", false, false, true},
        {"localhost:80", "localhost:80", true, false, false},
        {"localhost:5000", "localhost:5000", false, true, true},
        {"127.1.2.3:5000", "127.1.2.3:5000", false, true, true},
        {"[::1]:5000", "[::1]:5000", false, true, true},
        {"[::2]:5000", "[::2]:5000", false, false, false},
        {"128.0.0.1:5000", "128.0.0.1:5000", false, false, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        AUTO_FINI(hosts) hosts = {0};
        const struct host *host;

        load(NULL, table[i].domain, &hosts);
        assert_int_equal(hosts.len, 1);
        host = &hosts.items[0];
        assert_string_equal(host->authority, table[i].authority);
        assert_string_equal(host->path, "/v2");
        assert_int_equal(host->capabilities, HOST_ALL);
        assert_int_equal(host->plain, table[i].plain);
        assert_int_equal(host->plain_fallback, table[i].plain_fallback);
        assert_int_equal(host->skip_verify, table[i].skip_verify);
    }
}

static void test_the_file_says_all_there_is(void **state)
{
    AUTO_FINI(root) r;
    AUTO_FINI(hosts) hosts = {0};
    AUTO_FREE char *ca = NULL;
    (void)state;

    root_init(&r);
    put(&r, "docker.io", "hosts.toml",
        "server = \"https://up.example/x\"\n"
        "[host.\"https://b.example:5000/some/v2/\"]\n"
        "capabilities = [\"Pull\", \"resolve\"]\nca = \"ca.pem\"\n"
        "client = [[\"/c.pem\", \"k.pem\"], [\"both.pem\", \"\"], \"one.pem\"]\n"
        "dial_timeout = \"1m1.5s\"\n"
        "[host.\"https://b.example:5000/some/v2/\".header]\n"
        "x-one = \"1\"\nx-two = [\"a\", \"b\"]\n"
        "[host.\"http://a.example/raw/\"]\noverride_path = true\ncapabilities = []\n"
        "[host.\"a.example\"]\nskip_verify = true\n"
        "[host.\"http://c.example\"]\nca = [\"/x.pem\"]\n");
    load(&r, "docker.io", &hosts);
    assert_int_equal(hosts.len, 5);

    assert_string_equal(hosts.items[0].authority, "b.example:5000");
    assert_string_equal(hosts.items[0].path, "/some/v2");
    assert_int_equal(hosts.items[0].capabilities, HOST_PULL | HOST_RESOLVE);
    ca = xasprintf("%s/docker.io/ca.pem", r.path);
    assert_string_equal(hosts.items[0].ca.items[0], ca);
    assert_int_equal(hosts.items[0].certs.len, 3);
    assert_string_equal(hosts.items[0].certs.items[0], "/c.pem");
    assert_string_equal(hosts.items[0].keys.items[1], "");
    assert_string_equal(hosts.items[0].keys.items[2], "");
    assert_int_equal(hosts.items[0].dial_timeout_ms, 61500);
    assert_int_equal(hosts.items[0].headers.len, 3);
    assert_string_equal(hosts.items[0].headers.items[2], "x-two: b");

    assert_true(hosts.items[1].plain);
    assert_string_equal(hosts.items[1].path, "/raw");
    assert_int_equal(hosts.items[1].capabilities, 0);

    assert_string_equal(hosts.items[2].authority, "a.example");
    assert_true(hosts.items[2].skip_verify);
    assert_false(hosts.items[2].plain || hosts.items[2].plain_fallback);

    assert_true(hosts.items[3].plain_fallback);
    assert_false(hosts.items[3].plain);

    assert_string_equal(hosts.items[4].authority, "up.example");
    assert_string_equal(hosts.items[4].path, "/x/v2");
}

static void test_without_a_server_the_registry_is_last(void **state)
{
    AUTO_FINI(root) r;
    AUTO_FINI(hosts) hosts = {0};
    (void)state;

    root_init(&r);
    put(&r, "docker.io", "hosts.toml",
        "capabilities = [\"push\"]\n[header]\na = \"b\"\n[host.\"https://m\"]\n");
    load(&r, "docker.io", &hosts);
    assert_int_equal(hosts.len, 2);
    assert_string_equal(hosts.items[0].authority, "m");
    assert_string_equal(hosts.items[1].authority, "registry-1.docker.io");
    assert_int_equal(hosts.items[1].capabilities, HOST_ALL);
    assert_string_equal(hosts.items[1].headers.items[0], "a: b");
}

static void test_the_first_folder_wins(void **state)
{
    static const char *const order[] = {"r.io_5000_", "r.io:5000", "_default"};
    AUTO_FINI(root) r;
    AUTO_FINI(root) second;
    struct error err;
    (void)state;

    root_init(&r);
    root_init(&second);
    strv_add(&r.roots, second.path);
    put(&second, "r.io_5000_", "hosts.toml", "server = \"https://second\"\n");
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        AUTO_FREE char *text = xasprintf("server = \"https://s%zu\"\n", i);

        put(&r, order[i], "hosts.toml", text);
    }
    for (size_t i = 0; i <= COUNT_OF(order); i++) {
        AUTO_FINI(hosts) hosts = {0};
        AUTO_FREE char *wanted = i < 3 ? xasprintf("s%zu", i) : xstrdup("second");
        AUTO_FREE char *gone = i < 3 ? xasprintf("%s/%s", r.path, order[i]) : NULL;

        load(&r, "r.io:5000", &hosts);
        assert_string_equal(hosts.items[0].authority, wanted);
        if (gone)
            assert_int_equal(file_remove_tree(AT_FDCWD, gone, &err), 0);
    }
}

static void test_dockers_files_are_read(void **state)
{
    AUTO_FINI(root) r;
    AUTO_FINI(hosts) hosts = {0};
    AUTO_FREE char *key = NULL;
    (void)state;

    root_init(&r);
    put(&r, "r.io", "ca.crt", "");
    put(&r, "r.io", "client.cert", "");
    put(&r, "r.io", "client.key", "");
    put(&r, "r.io", "other.cert", "");
    put(&r, "r.io", "README", "");
    load(&r, "r.io", &hosts);
    assert_int_equal(hosts.len, 1);
    assert_string_equal(hosts.items[0].authority, "r.io");
    assert_int_equal(hosts.items[0].ca.len, 1);
    assert_int_equal(hosts.items[0].certs.len, 2);
    key = xasprintf("%s/r.io/client.key", r.path);
    assert_string_equal(hosts.items[0].keys.items[0], key);
    assert_string_equal(hosts.items[0].keys.items[1], "");
}

static void test_a_bad_file_leaves_dockers_files(void **state)
{
    static const char *const bad[] = {
        "server = ",
        "server = 1",
        "capabilities = [\"fetch\"]",
        "capabilities = \"pull\"",
        "skip_verify = \"yes\"",
        "ca = [1]",
        "client = [[]]",
        "client = [[\"a\", \"b\", \"c\"]]",
        "dial_timeout = 5",
        "dial_timeout = \"5\"",
        "dial_timeout = \"-5s\"",
        "dial_timeout = \"99h\"",
        "override_path = 1",
        "header = 1",
        "[header]\n\"a b\" = \"c\"",
        "[header]\na = \"c\\r\\nd: e\"",
        "host = 1",
        "host = {a = 1}",
        "[host.\"https://\"]",
        "[host.\"https://a/../b\"]",
        "[host.\"https://u:p@a\"]",
        "[host.\"https://a?b\"]",
        "[host.\"https://a b\"]",
    };
    AUTO_FINI(root) r;
    (void)state;

    root_init(&r);
    put(&r, "r.io", "ca.crt", "");
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_FINI(hosts) hosts = {0};

        put(&r, "r.io", "hosts.toml", bad[i]);
        load(&r, "r.io", &hosts);
        if (hosts.len != 1 || hosts.items[0].ca.len != 1)
            fail_msg("%s was taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_fit_the_domain),
        cmocka_unit_test(test_the_file_says_all_there_is),
        cmocka_unit_test(test_without_a_server_the_registry_is_last),
        cmocka_unit_test(test_the_first_folder_wins),
        cmocka_unit_test(test_dockers_files_are_read),
        cmocka_unit_test(test_a_bad_file_leaves_dockers_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
