// SPDX-License-Identifier: Apache-2.0
#include "imaged/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "imaged/registry.h"

static void same(const char *is, const char *wanted)
{
    if (wanted)
        assert_string_equal(is ? is : "(null)", wanted);
    else
        assert_null(is);
}

static void test_parse_chooses_as_the_kubelet_expects(void **state)
{
    static const struct {
        struct registry_credentials from;
        const char *username, *secret, *bearer, *authority;
    } table[] = {
        {{0}, NULL, NULL, NULL, NULL},
        {{.username = "", .auth = ""}, NULL, NULL, NULL, NULL},
        {{.username = "u", .password = "p", .auth = "YTpi"}, "u", "p", NULL, NULL},
        {{.username = "u"}, "u", "", NULL, NULL},
        {{.auth = "dTpwOnE="}, "u", "p:q", NULL, NULL},
        {{.auth = "dTpwOnE"}, "u", "p:q", NULL, NULL},
        {{.auth = "dTpwAAA="}, "u", "p", NULL, NULL}, /* NULs behind the password */
        {{.identity_token = "t", .auth = "YTpi"}, "", "t", NULL, NULL},
        {{.registry_token = "r"}, NULL, NULL, "r", NULL},
        {{.username = "u", .password = "p", .server_address = "https://r.io/v1/"},
         "u",
         "p",
         NULL,
         "r.io"},
        {{.username = "u", .password = "p", .server_address = "r.io:5000"},
         "u",
         "p",
         NULL,
         "r.io:5000"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        AUTO_FINI(credentials) c = {0};
        struct error err;

        if (credentials_parse(&table[i].from, &c, &err) < 0)
            fail_msg("%zu: %s", i, err.text);
        same(c.username, table[i].username);
        same(c.secret, table[i].secret);
        same(c.bearer, table[i].bearer);
        same(c.authority, table[i].authority);
    }
}

static void test_parse_refuses_what_cannot_be_used(void **state)
{
    static const struct registry_credentials bad[] = {
        {.auth = "bm9jb2xvbg=="}, /* "nocolon" */
        {.auth = "!!!"},
        {.registry_token = "a\r\nX-Evil: 1"},
        {.identity_token = "a\nb"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        AUTO_FINI(credentials) c = {0};
        struct error err;

        assert_int_equal(credentials_parse(&bad[i], &c, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_they_are_for_the_server_they_name(void **state)
{
    static const struct {
        const char *server, *contacted;
        bool are;
    } table[] = {
        {"", "anything:1", true},
        {"https://r.io", "r.io", true},
        {"https://r.io", "r.io:443", false},
        {"r.io", "R.IO", true},
        {"https://index.docker.io/v1/", "registry-1.docker.io", true},
        {"docker.io", "registry-1.docker.io", true},
        {"docker.io", "mirror", false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const struct registry_credentials from = {.username = "u",
                                                  .server_address = table[i].server};
        AUTO_FINI(credentials) c = {0};
        struct error err;

        assert_int_equal(credentials_parse(&from, &c, &err), 0);
        if (credentials_are_for(&c, table[i].contacted) != table[i].are)
            fail_msg("%s to %s", table[i].server, table[i].contacted);
    }
}

static void test_basic_is_encoded(void **state)
{
    const struct registry_credentials from = {.username = "Aladdin", .password = "open sesame"};
    AUTO_FINI(credentials) c = {0};
    AUTO_FREE char *basic = NULL;
    struct error err;
    (void)state;

    assert_int_equal(credentials_parse(&from, &c, &err), 0);
    basic = credentials_basic(&c);
    assert_string_equal(basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_chooses_as_the_kubelet_expects),
        cmocka_unit_test(test_parse_refuses_what_cannot_be_used),
        cmocka_unit_test(test_they_are_for_the_server_they_name),
        cmocka_unit_test(test_basic_is_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
