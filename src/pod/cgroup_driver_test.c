// SPDX-License-Identifier: Apache-2.0
#include "pod/cgroup_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"

static const struct oci_host WITH_SYSTEMD = {.cgroup_mode = OCI_CGROUP_V2, .systemd_answers = true};

static void test_what_is_configured_is_taken(void **state)
{
    static const char *const slice[] = {"/kubepods.slice"}, *const folder[] = {"/kubepods"};

    (void)state;
    assert_false(cgroup_driver_is_systemd("cgroupfs", &WITH_SYSTEMD, slice, 1));
    assert_true(cgroup_driver_is_systemd("systemd", &WITH_SYSTEMD, folder, 1));
}

static void test_auto_is_systemd_where_that_makes_cgroups_of_version_2(void **state)
{
    static const struct oci_host others[] = {
        {.cgroup_mode = OCI_CGROUP_V1, .systemd_answers = true},
        {.cgroup_mode = OCI_CGROUP_HYBRID, .systemd_answers = true},
        {.cgroup_mode = OCI_CGROUP_V2, .systemd_answers = false},
    };

    (void)state;
    assert_true(cgroup_driver_is_systemd("auto", &WITH_SYSTEMD, NULL, 0));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(cgroup_driver_is_systemd("auto", &others[i], NULL, 0));
}

static void test_auto_is_what_running_pods_were_made_with(void **state)
{
    static const char *const folders[] = {"/kubepods/burstable/pod1", "/kubepods/pod2"};
    static const char *const mixed[] = {"/mine", "/kubepods.slice/kubepods-pod1.slice/"};

    (void)state;
    assert_false(cgroup_driver_is_systemd("auto", &WITH_SYSTEMD, folders, COUNT_OF(folders)));
    assert_true(cgroup_driver_is_systemd("auto", &WITH_SYSTEMD, mixed, COUNT_OF(mixed)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_configured_is_taken),
        cmocka_unit_test(test_auto_is_systemd_where_that_makes_cgroups_of_version_2),
        cmocka_unit_test(test_auto_is_what_running_pods_were_made_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
