// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "bench.h"
#include "process.h"
#include "samples.h"

/* Memory and processor time of the daemon and of the processes that stay with pods: shims,
 * monitors and pause. */

enum { KIB_PER_MB = 1000 };

static const char *const MONITORS[] = {"containerd-shim", "conmon", "pause"};

struct monitors {
    int daemon;
    double pss;
    int n;
};

static double pss(int pid)
{
    return process_kib(pid, "smaps_rollup", "Pss");
}

static void add_monitor(void *data, int pid)
{
    struct monitors *m = data;

    if (pid == m->daemon || !process_is_one_of(pid, MONITORS, COUNT_OF(MONITORS)))
        return;
    m->pss += pss(pid);
    m->n++;
}

int bench_memory(const struct bench *b, struct error *err)
{
    struct monitors m = {.daemon = b->daemon};

    if (process_each(add_monitor, &m, err) < 0)
        return -1;
    samples_print_one("daemon_pss", "MB", pss(b->daemon) / KIB_PER_MB);
    samples_print_one("monitors_pss_per_pod", "MB", m.pss / KIB_PER_MB / b->rounds);
    samples_print_one("monitors_per_pod", "", (double)m.n / b->rounds);
    return 0;
}

/* User and system time: fields 14 and 15, where the second ends with the last parenthesis. */
static int cpu_seconds(int pid, double *out, struct error *err)
{
    AUTO_FINI(buf) stat = {0};
    const char *at;
    char *end;

    if (process_load(pid, "stat", &stat, err) < 0)
        return -1;
    at = strrchr(stat.data, ')');
    for (int field = 2; field < 14 && at; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return error_set(err, ERROR_UNKNOWN, "/proc/%d/stat is not understood", pid);
    *out = (double)strtoull(at, &end, 10);
    *out = (*out + (double)strtoull(end, NULL, 10)) / (double)sysconf(_SC_CLK_TCK);
    return 0;
}

int bench_idle(const struct bench *b, struct error *err)
{
    double before = 0, after = 0;

    if (cpu_seconds(b->daemon, &before, err) < 0)
        return -1;
    sleep((unsigned)b->seconds);
    if (cpu_seconds(b->daemon, &after, err) < 0)
        return -1;
    samples_print_one("idle_cpu", "s per 10 s", (after - before) * 10 / b->seconds);
    return 0;
}
