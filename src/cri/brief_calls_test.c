// SPDX-License-Identifier: Apache-2.0
#include "cri/brief_calls.h"

#include <cri.pb-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "pod/node.h"

static void test_a_status_that_reads_files_is_not_brief(void **state)
{
    Runtime__V1__PodSandboxStatusRequest pod = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
    Runtime__V1__ContainerStatusRequest container = RUNTIME__V1__CONTAINER_STATUS_REQUEST__INIT;

    (void)state;
    assert_true(brief_calls_pod_status(NULL, &pod.base));
    assert_true(brief_calls_container_status(NULL, &container.base));
    pod.verbose = container.verbose = true;
    assert_false(brief_calls_pod_status(NULL, &pod.base));
    assert_false(brief_calls_container_status(NULL, &container.base));
}

static void fill(struct map *map, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char id[32];

        snprintf(id, sizeof id, "%zu", i);
        map_put(map, id, map);
    }
}

static void test_a_long_list_is_not_brief(void **state)
{
    Runtime__V1__ListPodSandboxRequest pods = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__ListContainersRequest containers = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    struct node n = {.lock = PTHREAD_MUTEX_INITIALIZER};

    (void)state;
    fill(&n.sandboxes, BRIEF_CALLS_LIST_MAX);
    fill(&n.containers, BRIEF_CALLS_LIST_MAX + 1);
    assert_true(brief_calls_list_pods(&n, &pods.base));
    assert_false(brief_calls_list_containers(&n, &containers.base));
    map_fini(&n.sandboxes);
    map_fini(&n.containers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_status_that_reads_files_is_not_brief),
        cmocka_unit_test(test_a_long_list_is_not_brief),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
