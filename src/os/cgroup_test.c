// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/own.h"
#include "os/net_usage.h"

static void test_paths_of_both_drivers(void **state)
{
    static const struct {
        const char *given, *path;
    } cases[] = {
        {"/berth/abc", "/berth/abc"},
        {"kubepods.slice:cri-containerd:abc", "/kubepods.slice/cri-containerd-abc.scope"},
        {"kubepods-burstable-podx.slice:p:i",
         "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice/p-i.scope"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FREE char *path = cgroup_path_of(cases[i].given);

        assert_string_equal(path, cases[i].path);
    }
}

static void test_a_group_that_is_nowhere_is_not_found(void **state)
{
    struct cgroup_usage usage;
    struct error err;

    (void)state;
    assert_int_equal(cgroup_read_usage("/no/such/group/of/berth", &usage, &err), -1);
    assert_int_equal(err.code, ERROR_NOT_FOUND);
}

static void test_pressure_is_parsed_line_by_line(void **state)
{
    struct cgroup_pressure p =
        cgroup_pressure_parse("some avg10=0.12 avg60=3.00 avg300=45.67 total=1234567\n"
                              "full avg10=0.00 avg60=1.50 avg300=0.25 total=18\n");

    (void)state;
    assert_true(p.is_known);
    assert_true(p.some.avg10 > 0.11 && p.some.avg10 < 0.13 && p.some.avg300 > 45.6);
    assert_int_equal(p.some.total_ns, 1234567000);
    assert_int_equal(p.full.total_ns, 18000);
    assert_true(p.full.avg60 > 1.4 && p.full.avg60 < 1.6);
    p = cgroup_pressure_parse("some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n");
    assert_true(p.is_known && p.some.total_ns == 5000 && p.full.total_ns == 0);
    assert_false(cgroup_pressure_parse("").is_known);
    assert_false(cgroup_pressure_parse("some avg10=x").is_known);
}

static void test_interfaces_are_parsed_without_lo(void **state)
{
    static const char text[] =
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs\n"
        "    lo:     100       1    0    0    0     0          0         0      100       1    0 0 "
        "0 0 0 0\n"
        "  eth0: 1234 10 2 0 0 0 0 0 5678 20 3 0 0 0 0 0\n";
    struct net_usage usage;

    (void)state;
    net_usage_parse(text, &usage);
    assert_int_equal(usage.n, 1);
    assert_string_equal(usage.interfaces[0].name, "eth0");
    assert_int_equal(usage.interfaces[0].rx_bytes, 1234);
    assert_int_equal(usage.interfaces[0].rx_errors, 2);
    assert_int_equal(usage.interfaces[0].tx_bytes, 5678);
    assert_int_equal(usage.interfaces[0].tx_errors, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_of_both_drivers),
        cmocka_unit_test(test_a_group_that_is_nowhere_is_not_found),
        cmocka_unit_test(test_pressure_is_parsed_line_by_line),
        cmocka_unit_test(test_interfaces_are_parsed_without_lo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
