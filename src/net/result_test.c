// SPDX-License-Identifier: Apache-2.0
#include "net/result.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the above first. */
#include <cmocka.h>

#include "base/json.h"
#include "base/own.h"

static int add(const char *text, const char *own, struct strv *ips, struct error *err)
{
    JSON_AUTO *result = json_parse(text, strlen(text), err);

    assert_non_null(result);
    return result_add_ips(result, own, "eth0", ips, err);
}

static void test_ips_come_from_every_version(void **state)
{
    static const char *const cases[][2] = {
        {"{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.2/24\"},"
         "\"ip6\":{\"ip\":\"fd00::2/64\"}}",
         "10.0.0.2 fd00::2"},
        {"{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"cni0\"},{\"name\":\"eth0\"}],"
         "\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":\"10.0.0.3/24\"}]}",
         "10.0.0.3"},
        {"{\"cniVersion\":\"1.0.0\",\"interfaces\":[{\"name\":\"cni0\"},{\"name\":\"eth0\"}],"
         "\"ips\":[{\"interface\":0,\"address\":\"10.0.0.1/24\"},"
         "{\"interface\":null,\"address\":\"fd00::4/64\"},"
         "{\"interface\":1,\"address\":\"10.0.0.4/24\"}]}",
         "fd00::4 10.0.0.4"},
        {"{\"ips\":[{\"interface\":3,\"address\":\"10.0.0.5/24\"}]}", "10.0.0.5"},
        {"{\"interfaces\":[{\"name\":\"eth0\"}]}", ""},
        {"{}", ""},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(strv) ips = {0};
        struct error err = {0};

        assert_int_equal(add(cases[i][0], "eth0", &ips, &err), 0);
        AUTO_FREE char *joined = strv_join(&ips, " ");
        assert_string_equal(joined, cases[i][1]);
    }
}

static void test_ips_of_other_interfaces_are_not_the_pods(void **state)
{
    AUTO_FINI(strv) ips = {0};
    struct error err = {0};
    (void)state;

    assert_int_equal(add("{\"ips\":[{\"address\":\"10.9.0.2/24\"}]}", "eth1", &ips, &err), 0);
    assert_int_equal(add("{\"ip4\":{\"ip\":\"10.9.0.2/24\"}}", "eth1", &ips, &err), 0);
    assert_int_equal(ips.len, 0);
}

static void test_ips_that_are_none_are_refused(void **state)
{
    static const char *const cases[] = {
        "{\"ips\":[{\"address\":\"10.0.0.2\"}]}",
        "{\"ips\":[{\"address\":\"10.0.0/24\"}]}",
        "{\"ips\":[{\"address\":\"/24\"}]}",
        "{\"ips\":[{}]}",
        "{\"ips\":[7]}",
        "{\"ip4\":{}}",
        "{\"interfaces\":[{\"name\":\"eth0\"}],\"ips\":[{\"interface\":1,\"address\":\"1.1.1.1/"
        "8\"}]}",
        "{\"interfaces\":[{\"name\":\"eth0\"}],\"ips\":[{\"interface\":-1,\"address\":\"1.1.1.1/"
        "8\"}]}",
        "{\"interfaces\":[{\"name\":\"eth0\"}],\"ips\":[{\"interface\":\"x\",\"address\":\"1.1.1.1/"
        "8\"}]}",
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(strv) ips = {0};
        struct error err = {0};

        assert_int_equal(add(cases[i], "eth0", &ips, &err), -1);
        assert_int_equal(err.code, ERROR_INVALID);
    }
}

static void test_the_preferred_family_comes_first(void **state)
{
    static const char *const cases[][3] = {
        {"fd00::1 10.0.0.1 10.0.0.2", "", "10.0.0.1 fd00::1 10.0.0.2"},
        {"10.0.0.1 10.0.0.2 fd00::1", "ipv6", "fd00::1 10.0.0.1 10.0.0.2"},
        {"fd00::1 10.0.0.1", "cni", "fd00::1 10.0.0.1"},
        {"fd00::1 fd00::2", "ipv4", "fd00::1 fd00::2"},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(strv) ips = {0};

        strv_add_split(&ips, cases[i][0], ' ');
        result_prefer(&ips, cases[i][1]);
        AUTO_FREE char *joined = strv_join(&ips, " ");
        assert_string_equal(joined, cases[i][2]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ips_come_from_every_version),
        cmocka_unit_test(test_ips_of_other_interfaces_are_not_the_pods),
        cmocka_unit_test(test_ips_that_are_none_are_refused),
        cmocka_unit_test(test_the_preferred_family_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
