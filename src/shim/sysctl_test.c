// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <string.h>

#include "base/own.h"
#include "shim/sysctl.h"

static void test_only_what_the_pod_has_of_its_own_may_be_set(void **state)
{
    static const struct {
        const char *name;
        bool has_net, has_ipc, is_fine;
    } cases[] = {
        {"net.ipv4.ip_forward", true, true, true},
        {"net.ipv4.conf.eth0/100.rp_filter", true, true, true},
        {"kernel.shm_rmid_forced", true, true, true},
        {"kernel.msgmax", false, true, true},
        {"kernel.sem", false, true, true},
        {"fs.mqueue.msg_max", false, true, true},
        {"net/ipv4/conf/eth0.100/rp_filter", true, false, true},
        {"kernel/shm_rmid_forced", false, true, true},
        {"kernel/sem", false, true, true},
        {"fs/mqueue/msg_max", false, true, true},
        {"net/ipv4/ip_forward", false, true, false},
        {"kernel/panic", true, true, false},
        {"net/../kernel/panic", true, true, false},
        {"net/./ipv4", true, true, false},
        {"network.x", true, true, false},
        {"kernel", true, true, false},
        {"fs", true, true, false},
        {"net.ipv4.ip_forward", false, true, false},
        {"kernel.shmall", true, false, false},
        {"fs.mqueue.msg_max", true, false, false},
        {"kernel.panic", true, true, false},
        {"kernel.semaphore", true, true, false},
        {"vm.swappiness", true, true, false},
        {"net..ipv4", true, true, false},
        {"net.//.kernel.panic", true, true, false},
        {"net.ipv4./etc", true, true, false},
        {"net.", true, true, false},
        {".net.x", true, true, false},
        {"net.ipv4.ip forward", true, true, false},
        {"", true, true, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sysctl_scope scope = {cases[i].has_net, cases[i].has_ipc};
        struct error err = {0};
        int failed = sysctl_check(cases[i].name, &scope, &err);

        if ((failed == 0) != cases[i].is_fine)
            fail_msg("%s: %s", cases[i].name, err.text);
        if (failed) {
            assert_int_equal(err.code, ERROR_INVALID);
            assert_non_null(strstr(err.text, cases[i].name));
        }
    }
}

static void test_an_empty_value_is_refused(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(sysctl_write("net.ipv4.ip_forward", "", &err), -1);
    assert_string_equal(err.text, "set sysctl net.ipv4.ip_forward: its value is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_the_pod_has_of_its_own_may_be_set),
        cmocka_unit_test(test_an_empty_value_is_refused),
    };

    return cmocka_run_group_tests_name("sysctl", tests, NULL, NULL);
}
