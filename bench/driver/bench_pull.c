// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "bench.h"
#include "cri.h"
#include "process.h"
#include "samples.h"

/* Pulls of one image, all asked for at once, and the memory that takes: of the processes that pull,
 * or of the daemon where it does so itself. */

enum { KIB_PER_MB = 1000, LOOK_EACH_US = 20 * 1000, REST_S = 3 };

static const char *const PULLERS[] = {"berth-image", "berth-fetch"};

struct puller {
    const struct bench *bench;
    pthread_t thread;
    struct error err;
    int rc;
};

struct watch {
    const struct bench *bench;
    pthread_t thread;
    atomic_bool ended;
    double now_kib;
    double peak_kib;
};

static void *pull(void *data)
{
    struct puller *p = data;
    Runtime__V1__PullImageRequest request = RUNTIME__V1__PULL_IMAGE_REQUEST__INIT;
    Runtime__V1__ImageSpec image = RUNTIME__V1__IMAGE_SPEC__INIT;
    struct cri c;

    image.image = (char *)p->bench->image;
    request.image = &image;
    p->rc = cri_open(&c, p->bench, &p->err);
    if (p->rc == 0)
        p->rc = cri_image_call(&c, "PullImage", &request.base, &p->err) ? 0 : -1;
    cri_close(&c);
    return NULL;
}

static int pull_all(const struct bench *b, struct error *err)
{
    AUTO_FREE struct puller *pullers = xcalloc((size_t)b->at_once, sizeof *pullers);
    int rc = 0;

    for (int i = 0; i < b->at_once; i++) {
        pullers[i].bench = b;
        if (pthread_create(&pullers[i].thread, NULL, pull, &pullers[i]) != 0)
            abort();
    }
    for (int i = 0; i < b->at_once; i++) {
        pthread_join(pullers[i].thread, NULL);
        if (pullers[i].rc < 0 && rc == 0)
            *err = pullers[i].err;
        rc |= pullers[i].rc;
    }
    return rc;
}

static void add_puller(void *data, int pid)
{
    struct watch *w = data;

    if (process_is_one_of(pid, PULLERS, COUNT_OF(PULLERS)))
        w->now_kib += process_kib(pid, "status", "VmHWM");
}

/* The kernel keeps each process's peak, so nothing is missed between two looks but the last of it.
 */
static void *watch(void *data)
{
    struct watch *w = data;
    struct error unseen;

    while (!atomic_load(&w->ended)) {
        w->now_kib = 0;
        if (process_each(add_puller, w, &unseen) == 0 && w->now_kib > w->peak_kib)
            w->peak_kib = w->now_kib;
        usleep(LOOK_EACH_US);
    }
    if (w->peak_kib == 0)
        w->peak_kib = process_kib(w->bench->daemon, "status", "VmHWM");
    return NULL;
}

static double private_kib(int pid)
{
    return process_kib(pid, "smaps_rollup", "Private_Dirty") +
           process_kib(pid, "smaps_rollup", "Private_Clean");
}

/* Watched only where there are many, since that takes time from the one. */
static int measure(const struct bench *b, struct watch *w, double *out_s, struct error *err)
{
    int64_t begun = clock_monotonic_ns();
    int rc;

    if (b->at_once > 1 && pthread_create(&w->thread, NULL, watch, w) != 0)
        abort();
    rc = pull_all(b, err);
    *out_s = (double)(clock_monotonic_ns() - begun) / (double)CLOCK_NS_PER_S;
    atomic_store(&w->ended, true);
    if (b->at_once > 1)
        pthread_join(w->thread, NULL);
    return rc;
}

int bench_pull(const struct bench *b, struct error *err)
{
    struct watch w = {.bench = b};
    double before_kib = private_kib(b->daemon), took_s;

    if (measure(b, &w, &took_s, err) < 0)
        return -1;
    samples_print_one("pull", "s", took_s);
    sleep(REST_S); /* who has just ended its work is not what is left of it */
    samples_print_one("pull_daemon_growth", "MB",
                      (private_kib(b->daemon) - before_kib) / KIB_PER_MB);
    if (b->at_once > 1)
        samples_print_one("pull_memory", "MB", w.peak_kib / KIB_PER_MB);
    return 0;
}
