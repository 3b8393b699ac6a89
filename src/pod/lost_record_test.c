// SPDX-License-Identifier: Apache-2.0
#include "pod/lost_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/message.h"

static void expect_pod(const char *from, const char *name, const char *namespace, const char *uid,
                       uint32_t attempt)
{
    Runtime__V1__PodSandboxConfig *config = lost_record_pod(from);

    assert_string_equal(config->metadata->name, name);
    assert_string_equal(config->metadata->namespace_, namespace);
    assert_string_equal(config->metadata->uid, uid);
    assert_int_equal(config->metadata->attempt, attempt);
    message_free(&config->base);
}

static void test_the_name_of_a_pod_has_its_metadata(void **state)
{
    (void)state;
    expect_pod("web_default_6c1f_3", "web", "default", "6c1f", 3);
    expect_pod("odd_one_default_6c1f_0", "odd_one", "default", "6c1f", 0);
    expect_pod("___", "", "", "", 0);
    expect_pod("web", "web", "", "", 0);
    expect_pod("", "", "", "", 0);
    expect_pod("a_b_x", "a", "", "b", 0);
}

static void test_the_name_of_a_container_has_its_own(void **state)
{
    Runtime__V1__ContainerConfig *config = lost_record_container("nginx_web_default_6c1f_7");

    (void)state;
    assert_string_equal(config->metadata->name, "nginx");
    assert_int_equal(config->metadata->attempt, 7);
    assert_non_null(config->image);
    message_free(&config->base);
    config = lost_record_container("short_1");
    assert_string_equal(config->metadata->name, "short");
    message_free(&config->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_name_of_a_pod_has_its_metadata),
        cmocka_unit_test(test_the_name_of_a_container_has_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
