// SPDX-License-Identifier: Apache-2.0
#include "base/message.h"
#include "oci/spec_fixture.h"

static void test_resources_are_set_when_they_are_asked_for(void **state)
{
    static Runtime__V1__LinuxContainerResources__UnifiedEntry high =
        RUNTIME__V1__LINUX_CONTAINER_RESOURCES__UNIFIED_ENTRY__INIT;
    static Runtime__V1__LinuxContainerResources__UnifiedEntry *unified[] = {&high};
    static Runtime__V1__HugepageLimit huge = RUNTIME__V1__HUGEPAGE_LIMIT__INIT, *limits[] = {&huge};

    (void)state;
    t.resources.cpu_quota = -1;
    t.resources.cpu_shares = 512;
    t.resources.cpuset_cpus = (char *)"0-1";
    t.resources.memory_limit_in_bytes = 1048576;
    t.resources.oom_score_adj = 500;
    high.key = (char *)"memory.high";
    high.value = (char *)"9";
    t.resources.unified = unified;
    t.resources.n_unified = 1;
    huge.page_size = (char *)"2MB";
    t.resources.hugepage_limits = limits;
    t.resources.n_hugepage_limits = 1;
    build();
    assert_string_equal(part("linux", "resources"),
                        "{\"cpu\":{\"shares\":512,\"quota\":-1,\"cpus\":\"0-1\"},"
                        "\"memory\":{\"limit\":1048576,\"swap\":1048576},"
                        "\"unified\":{\"memory.high\":\"9\"},"
                        "\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
    assert_string_equal(part("process", "oomScoreAdj"), "500");
    t.in.policy.hugetlb_required = true;
    expect_refusal("hugepage_limits: the node has no hugetlb controller");
    t.host.hugetlb_controlled = true;
    build();
    assert_non_null(strstr(part("linux", "resources"),
                           "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":0}]"));
    t.resources.cpu_quota = -2;
    expect_refusal("resources.cpu_quota: -2 is out of range");
    t.resources.cpu_quota = 0;
    high.key = (char *)"../x";
    expect_refusal("unified: \"../x\" is no cgroup file");
    t.linux.resources = NULL;
    build();
    assert_string_equal(part("process", "oomScoreAdj"), "nothing");
}

static void test_resources_that_the_node_does_not_have_are_refused(void **state)
{
    static Runtime__V1__LinuxContainerResources__UnifiedEntry
        high = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__UNIFIED_ENTRY__INIT,
        *unified[] = {&high};
    static Runtime__V1__HugepageLimit huge = RUNTIME__V1__HUGEPAGE_LIMIT__INIT, *limits[] = {&huge};

    (void)state;
    high.key = (char *)"memory.high";
    t.resources.unified = unified;
    t.resources.n_unified = 1;
    t.host.cgroup_mode = OCI_CGROUP_HYBRID;
    expect_refusal("resources.unified: \"memory.high\" is of cgroups of version 2");
    t.resources.n_unified = 0;
    huge.page_size = (char *)"3MB";
    t.resources.hugepage_limits = limits;
    t.resources.n_hugepage_limits = 1;
    t.host.hugetlb_controlled = true;
    strv_add(&t.host.hugepage_sizes, "2MB");
    expect_refusal("resources.hugepage_limits: the node has no pages of page_size \"3MB\"");
    huge.page_size = (char *)"2MB";
    build();
    t.host.cpus = 4, t.host.memory_nodes = 1;
    t.resources.cpuset_cpus = (char *)"0-1,3";
    t.resources.cpuset_mems = (char *)"0";
    build();
    t.resources.cpuset_cpus = (char *)"4";
    expect_refusal("resources.cpuset_cpus: \"4\" goes beyond the node's 4 processors");
    t.resources.cpuset_cpus = (char *)"0";
    t.resources.cpuset_mems = (char *)"0-1";
    expect_refusal("resources.cpuset_mems: \"0-1\" goes beyond the node's 1 memory nodes");
    t.resources.cpuset_mems = (char *)"";
    t.resources.memory_swap_limit_in_bytes = 5;
    expect_refusal(
        "resources.memory_swap_limit_in_bytes: 5 is given without memory_limit_in_bytes");
}

static void test_an_update_changes_what_it_names(void **state)
{
    Runtime__V1__LinuxContainerResources r = RUNTIME__V1__LINUX_CONTAINER_RESOURCES__INIT, *now;
    static Runtime__V1__LinuxContainerResources__UnifiedEntry high =
        RUNTIME__V1__LINUX_CONTAINER_RESOURCES__UNIFIED_ENTRY__INIT;
    static Runtime__V1__LinuxContainerResources__UnifiedEntry *unified[] = {&high};
    static Runtime__V1__HugepageLimit huge = RUNTIME__V1__HUGEPAGE_LIMIT__INIT, *limits[] = {&huge};

    (void)state;
    t.resources.memory_limit_in_bytes = 100;
    t.resources.cpu_shares = 7;
    t.host.hugetlb_controlled = true;
    huge.page_size = (char *)"2MB";
    huge.limit = 1;
    t.resources.hugepage_limits = limits;
    t.resources.n_hugepage_limits = 1;
    build();
    r.memory_limit_in_bytes = 200;
    r.cpu_period = 1000;
    huge.limit = 2;
    r.hugepage_limits = limits;
    r.n_hugepage_limits = 1;
    high.key = (char *)"memory.high";
    high.value = (char *)"9";
    r.unified = unified;
    r.n_unified = 1;
    assert_int_equal(oci_resources_update(t.out, &r, &t.host, &t.in.policy, &t.err), 0);
    assert_string_equal(part("linux", "resources"),
                        "{\"cpu\":{\"shares\":7,\"period\":1000},"
                        "\"memory\":{\"limit\":200,\"swap\":200},"
                        "\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":2}],"
                        "\"devices\":[{\"allow\":false,\"access\":\"rwm\"}],"
                        "\"unified\":{\"memory.high\":\"9\"}}");
    now = oci_resources_read(t.out);
    assert_true(now->cpu_shares == 7 && now->cpu_period == 1000 && now->cpu_quota == 0);
    assert_true(now->memory_limit_in_bytes == 200 && now->memory_swap_limit_in_bytes == 200);
    assert_int_equal(now->n_hugepage_limits, 1);
    assert_string_equal(now->hugepage_limits[0]->page_size, "2MB");
    assert_int_equal(now->hugepage_limits[0]->limit, 2);
    assert_int_equal(now->n_unified, 1);
    assert_string_equal(now->unified[0]->key, "memory.high");
    assert_string_equal(now->unified[0]->value, "9");
    message_free(&now->base);
}

static void test_the_oom_score_stays_above_ours_without_the_right(void **state)
{
    struct oci_host host = {.oom_score_adj = -500, .oom_score_bounded = true};

    (void)state;
    assert_int_equal(oci_host_oom_score_adj(&host, -998), -500);
    assert_int_equal(oci_host_oom_score_adj(&host, 3), 3);
    host.oom_score_bounded = false;
    assert_int_equal(oci_host_oom_score_adj(&host, -998), -998);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        PLAIN(test_resources_are_set_when_they_are_asked_for),
        PLAIN(test_resources_that_the_node_does_not_have_are_refused),
        PLAIN(test_an_update_changes_what_it_names),
        PLAIN(test_the_oom_score_stays_above_ours_without_the_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
