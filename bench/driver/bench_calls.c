// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "bench.h"
#include "cri.h"
#include "samples.h"

/* Calls that do not change pods: each is made once unmeasured and then rounds times. */

enum { ANSWER_PATIENCE_MS = 5 * 60 * 1000, RETRY_US = 200, APART_US = 200 * 1000 };

struct work {
    const char *name;
    const char *method;
    const ProtobufCMessage *request;
    useconds_t pause_us; /* before each call */
};

static int measure(struct cri *c, const struct work *w, struct error *err)
{
    struct samples s = {.name = w->name, .unit = "ms"};
    int rc = 0;

    for (int i = 0; rc == 0 && i <= c->bench->rounds; i++) {
        int64_t begun;

        usleep(w->pause_us);
        begun = clock_monotonic_ns();
        rc = cri_call(c, w->method, w->request, err) ? 0 : -1;
        if (i > 0)
            samples_add_since(&s, begun);
    }
    if (rc == 0)
        samples_print(&s);
    samples_fini(&s);
    return rc;
}

int bench_exec(const struct bench *b, struct error *err)
{
    Runtime__V1__ExecSyncRequest request = RUNTIME__V1__EXEC_SYNC_REQUEST__INIT;
    const struct work at_once = {"exec_sync", "ExecSync", &request.base, 0};
    const struct work apart = {"exec_sync_apart", "ExecSync", &request.base, APART_US};
    char *command[] = {(char *)"true"};
    struct bench few = *b;
    struct cri_pod pod;
    struct cri c;
    int rc;

    if (cri_open(&c, b, err) < 0)
        return -1;
    request.cmd = command;
    request.n_cmd = 1;
    request.timeout = 10;
    request.container_id = pod.container;
    few.rounds = b->rounds / 4;
    rc = cri_find(&c, &pod, err) < 0 || measure(&c, &at_once, err) < 0 ? -1 : 0;
    c.bench = &few;
    if (rc == 0)
        rc = measure(&c, &apart, err);
    cri_close(&c);
    return rc;
}

int bench_queries(const struct bench *b, struct error *err)
{
    Runtime__V1__VersionRequest version = RUNTIME__V1__VERSION_REQUEST__INIT;
    Runtime__V1__ListContainersRequest list = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    Runtime__V1__PodSandboxStatusRequest status = RUNTIME__V1__POD_SANDBOX_STATUS_REQUEST__INIT;
    Runtime__V1__ListContainerStatsRequest stats = RUNTIME__V1__LIST_CONTAINER_STATS_REQUEST__INIT;
    const struct work queries[] = {
        {"version", "Version", &version.base, 0},
        {"list_containers", "ListContainers", &list.base, 0},
        {"pod_status", "PodSandboxStatus", &status.base, 0},
        {"list_container_stats", "ListContainerStats", &stats.base, 0},
    };
    struct bench few = *b;
    struct cri_pod pod;
    struct cri c;
    int rc;

    if (cri_open(&c, b, err) < 0)
        return -1;
    few.rounds = b->rounds / 10 + 1; /* stats are slow in places */
    rc = cri_find(&c, &pod, err);
    status.pod_sandbox_id = pod.id;
    for (size_t i = 0; rc == 0 && i < COUNT_OF(queries); i++) {
        c.bench = queries[i].request == &stats.base ? &few : b;
        rc = measure(&c, &queries[i], err);
    }
    cri_close(&c);
    return rc;
}

/* How many pods there are; -1 while nobody answers. */
static int count_pods(const struct bench *b, struct error *err)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__ListPodSandboxResponse *answer;
    struct cri c;
    int n = -1;

    if (cri_open(&c, b, err) < 0)
        return -1;
    answer = (void *)cri_call(&c, "ListPodSandbox", &request.base, err);
    if (answer)
        n = (int)answer->n_items;
    cri_close(&c);
    return n;
}

int bench_answer(const struct bench *b, struct error *err)
{
    int64_t end = clock_monotonic_ns() + ANSWER_PATIENCE_MS * CLOCK_NS_PER_MS;

    while (count_pods(b, err) < b->rounds) {
        if (clock_monotonic_ns() > end)
            return error_wrap(err, "there was no answer");
        usleep(RETRY_US);
    }
    samples_print_one("answered_at", "s", (double)clock_monotonic_ns() / (double)CLOCK_NS_PER_S);
    return 0;
}
