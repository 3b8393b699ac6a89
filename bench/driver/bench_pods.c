// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"
#include "bench.h"
#include "cri.h"
#include "samples.h"

/* Pods up and down. All pods are made first and removed afterwards, by at_once threads that take
 * the next one as soon as they have finished one. */

enum step {
    UP,
    RUN_POD,
    CREATE,
    START,
    DOWN,
    STOP,
    REMOVE,
    STOP_POD,
    REMOVE_POD,
    N_STEPS,
};

static const char *const STEP_NAMES[N_STEPS] = {"pod_up",           "run_pod",  "create_container",
                                                "start_container",  "pod_down", "stop_container",
                                                "remove_container", "stop_pod", "remove_pod"};

static const char *const SLEEPER[] = {"sleep", "1000000"};

/* What the threads share. */
struct crowd {
    const struct bench *bench;
    struct cri_pod *pods;
    int n_pods;
    atomic_int next;
    int (*treat)(struct cri *c, struct cri_pod *pod, struct samples *steps, struct error *err);
};

struct member {
    struct crowd *crowd;
    pthread_t thread;
    struct samples steps[N_STEPS];
    struct error err;
    int rc;
};

static int timed(struct cri *c, struct cri_pod *pod, struct samples *step,
                 int (*call)(struct cri *c, struct cri_pod *pod, struct error *err),
                 struct error *err)
{
    int64_t begun = clock_monotonic_ns();

    if (call(c, pod, err) < 0)
        return error_wrap(err, "%s", pod->name);
    samples_add_since(step, begun);
    return 0;
}

static int create_sleeper(struct cri *c, struct cri_pod *pod, struct error *err)
{
    return cri_create(c, pod, SLEEPER, COUNT_OF(SLEEPER), err);
}

static int bring_up(struct cri *c, struct cri_pod *pod, struct samples *steps, struct error *err)
{
    int64_t begun = clock_monotonic_ns();

    if (timed(c, pod, &steps[RUN_POD], cri_run_pod, err) < 0 ||
        timed(c, pod, &steps[CREATE], create_sleeper, err) < 0 ||
        timed(c, pod, &steps[START], cri_start, err) < 0)
        return -1;
    samples_add_since(&steps[UP], begun);
    return 0;
}

static int take_down(struct cri *c, struct cri_pod *pod, struct samples *steps, struct error *err)
{
    int64_t begun = clock_monotonic_ns();

    if (timed(c, pod, &steps[STOP], cri_stop, err) < 0 ||
        timed(c, pod, &steps[REMOVE], cri_remove, err) < 0 ||
        timed(c, pod, &steps[STOP_POD], cri_stop_pod, err) < 0 ||
        timed(c, pod, &steps[REMOVE_POD], cri_remove_pod, err) < 0)
        return -1;
    samples_add_since(&steps[DOWN], begun);
    return 0;
}

static int clean_up(struct cri *c, struct cri_pod *pod, struct samples *steps, struct error *err)
{
    (void)steps;
    return cri_stop_pod(c, pod, err) < 0 || cri_remove_pod(c, pod, err) < 0 ? -1 : 0;
}

static void *work(void *data)
{
    struct member *m = data;
    struct crowd *all = m->crowd;
    struct cri c;
    int i;

    m->rc = cri_open(&c, all->bench, &m->err);
    while (m->rc == 0 && (i = atomic_fetch_add(&all->next, 1)) < all->n_pods)
        m->rc = all->treat(&c, &all->pods[i], m->steps, &m->err);
    cri_close(&c);
    return NULL;
}

/* Treats all pods; returns the seconds that took, or -1. Adds to steps. */
static double treat_all(struct crowd *all, struct samples *steps, struct error *err)
{
    int n = all->bench->at_once, failed = 0;
    AUTO_FREE struct member *members = xcalloc((size_t)n, sizeof *members);
    int64_t begun = clock_monotonic_ns();

    atomic_store(&all->next, 0);
    for (int i = 0; i < n; i++) {
        members[i].crowd = all;
        if (pthread_create(&members[i].thread, NULL, work, &members[i]) != 0)
            abort();
    }
    for (int i = 0; i < n; i++) {
        pthread_join(members[i].thread, NULL);
        if (members[i].rc < 0 && !failed++)
            *err = members[i].err;
        for (int s = 0; s < N_STEPS; s++) {
            samples_add_all(&steps[s], &members[i].steps[s]);
            samples_fini(&members[i].steps[s]);
        }
    }
    return failed ? -1 : (double)(clock_monotonic_ns() - begun) / (double)CLOCK_NS_PER_S;
}

static void name_pods(const struct bench *b, struct cri_pod *pods)
{
    for (int i = 0; i < b->rounds; i++)
        snprintf(pods[i].name, sizeof pods[i].name, "%s%d", b->prefix, i);
}

int bench_pods(const struct bench *b, struct error *err)
{
    AUTO_FREE struct cri_pod *pods = xcalloc((size_t)b->rounds, sizeof *pods);
    struct crowd all = {.bench = b, .pods = pods, .n_pods = b->rounds, .treat = bring_up};
    struct samples steps[N_STEPS] = {0};
    double up, down = -1;

    for (int s = 0; s < N_STEPS; s++) {
        steps[s].name = STEP_NAMES[s];
        steps[s].unit = "ms";
    }
    name_pods(b, pods);
    up = treat_all(&all, steps, err);
    all.treat = take_down;
    if (up > 0)
        down = treat_all(&all, steps, err);
    for (int s = 0; s < N_STEPS; s++) {
        if (down > 0)
            samples_print(&steps[s]);
        samples_fini(&steps[s]);
    }
    if (down < 0)
        return -1;
    samples_print_one("pods_up_per_s", "1/s", b->rounds / up);
    samples_print_one("pods_down_per_s", "1/s", b->rounds / down);
    return 0;
}

int bench_fill(const struct bench *b, struct error *err)
{
    AUTO_FREE struct cri_pod *pods = xcalloc((size_t)b->rounds, sizeof *pods);
    struct crowd all = {.bench = b, .pods = pods, .n_pods = b->rounds, .treat = bring_up};
    struct samples steps[N_STEPS] = {0};
    double took;

    name_pods(b, pods);
    took = treat_all(&all, steps, err);
    for (int s = 0; s < N_STEPS; s++)
        samples_fini(&steps[s]);
    return took < 0 ? -1 : 0;
}

int bench_clear(const struct bench *b, struct error *err)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__ListPodSandboxResponse *answer;
    struct crowd all = {.bench = b, .treat = clean_up};
    AUTO_FREE struct cri_pod *pods = NULL;
    struct samples steps[N_STEPS] = {0};
    struct cri c;

    if (cri_open(&c, b, err) < 0)
        return -1;
    answer = (void *)cri_call(&c, "ListPodSandbox", &request.base, err);
    all.n_pods = answer ? (int)answer->n_items : -1;
    pods = xcalloc(answer ? answer->n_items + 1 : 1, sizeof *pods);
    for (int i = 0; i < all.n_pods; i++)
        snprintf(pods[i].id, sizeof pods[i].id, "%s", answer->items[i]->id);
    cri_close(&c);
    all.pods = pods;
    return all.n_pods < 0 || treat_all(&all, steps, err) < 0 ? -1 : 0;
}
