// SPDX-License-Identifier: Apache-2.0
#include "imaged/keyring.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "imaged/registry.h"

static char path[] = "/tmp/berth-keyring-XXXXXX";

static void put(const char *text)
{
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, path, text, strlen(text), 0600, &err), 0);
}

static struct keyring *open_ring(const struct registry_credentials *request)
{
    struct error err;
    struct keyring *k = keyring_open(request, path, &err);

    if (!k)
        fail_msg("%s", err.text);
    return k;
}

/* Who would be shown, or "" for nobody. */
static const char *user_at(const struct keyring *k, const char *authority, const char *repository,
                           bool is_mirror)
{
    const struct credentials *c = keyring_find(k, authority, repository, is_mirror);

    return c ? c->username : "";
}

static void test_a_file_has_entries_for_hosts_and_for_parts_of_them(void **state)
{
    static const struct {
        const char *authority, *repository, *user;
    } table[] = {
        {"registry-1.docker.io", "library/busybox", "hub"},
        {"r.example:5000", "a/b", "whole"},
        {"R.example:5000", "a/b", "whole"},
        {"r.example", "a/b", ""},
        {"quay.io", "team/app", "team"},
        {"quay.io", "team", "team"},
        {"quay.io", "teamwork/app", "quay"},
        {"quay.io", "team/secret/app", "secret"},
        {"helped.example", "a", ""},
        {"bad.example", "a", ""},
        {"other.example", "a", ""},
    };
    (void)state;

    put("{\"auths\": {\"https://index.docker.io/v1/\": {\"auth\": \"aHViOng=\"},"
        "\"r.example:5000\": {\"username\": \"whole\", \"password\": \"x\"},"
        "\"quay.io/team\": {\"auth\": \"dGVhbTp4\"}, \"quay.io\": {\"auth\": \"cXVheTp4\"},"
        "\"https://quay.io/team/secret/\": {\"auth\": \"c2VjcmV0Ong=\"},"
        "\"helped.example\": {}, \"bad.example\": {\"auth\": \"!\"}},"
        "\"credHelpers\": {\"helped.example\": \"x\"}}");
    AUTO(keyring) *k = open_ring(NULL);

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const char *user = user_at(k, table[i].authority, table[i].repository, false);

        if (strcmp(user, table[i].user) != 0)
            fail_msg("%s/%s: %s", table[i].authority, table[i].repository, user);
    }
    assert_string_equal(keyring_find(k, "quay.io", "a", false)->origin, path);
}

static void test_tokens_are_taken_from_a_file(void **state)
{
    (void)state;

    put("{\"auths\": {\"a\": {\"identitytoken\": \"i\"}, \"b\": {\"registrytoken\": \"r\"}}}");
    AUTO(keyring) *k = open_ring(NULL);
    const struct credentials *a = keyring_find(k, "a", "x", false);
    const struct credentials *b = keyring_find(k, "b", "x", true);

    assert_string_equal(a->username, "");
    assert_string_equal(a->secret, "i");
    assert_string_equal(b->bearer, "r");
}

/* The kubelet does not say whose its credentials are. */
static void test_a_request_goes_before_the_file_but_for_mirrors(void **state)
{
    const struct registry_credentials any = {.username = "request", .password = "p"};
    const struct registry_credentials named = {
        .username = "request", .password = "p", .server_address = "mirror"};
    (void)state;

    put("{\"auths\": {\"up\": {\"auth\": \"ZmlsZTp4\"}, \"mirror\": {\"auth\": \"ZmlsZTp4\"}}}");
    AUTO(keyring) *k = open_ring(&any), *only = open_ring(&named);

    assert_string_equal(user_at(k, "up", "a", false), "request");
    assert_string_equal(user_at(k, "mirror", "a", true), "file");
    assert_string_equal(user_at(k, "unknown-mirror", "a", true), "request");
    assert_string_equal(user_at(only, "up", "a", false), "file");
    assert_string_equal(user_at(only, "mirror", "a", true), "request");
    assert_string_equal(user_at(only, "unknown-mirror", "a", true), "");
}

static void test_what_cannot_be_read_stops_no_pull(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{\"auths\": []}",
                                        "{\"auths\": {\"a\": 1}}"};
    struct error err;
    (void)state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        put(texts[i]);
        AUTO(keyring) *k = open_ring(NULL);

        assert_null(keyring_find(k, "a", "b", false));
    }
    AUTO(keyring) *missing = keyring_open(NULL, "/nonexistent/auth.json", &err);
    AUTO(keyring) *none = keyring_open(NULL, NULL, &err);

    assert_non_null(missing);
    assert_non_null(none);
    assert_null(keyring_find(none, "a", "b", false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_has_entries_for_hosts_and_for_parts_of_them),
        cmocka_unit_test(test_tokens_are_taken_from_a_file),
        cmocka_unit_test(test_a_request_goes_before_the_file_but_for_mirrors),
        cmocka_unit_test(test_what_cannot_be_read_stops_no_pull),
    };
    int fd = mkstemp(path), status;

    if (fd < 0)
        return 1;
    close(fd);
    status = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return status;
}
