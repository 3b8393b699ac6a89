// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "bench.h"
#include "cri.h"
#include "samples.h"

/* How fast a container's output gets into its log file: the growth of that file, in which each line
 * of 100 bytes has about 40 more in front of it. */

enum { LINE_SIZE = 100, WARM_UP_MS = 500, BYTES_PER_MB = 1000000 };

static int size_of(const char *path, int64_t *out_at_ns, double *out, struct error *err)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return error_errno(err, errno, "look at %s", path);
    *out_at_ns = clock_monotonic_ns();
    *out = (double)st.st_size / BYTES_PER_MB;
    return 0;
}

static int watch(struct cri *c, const struct cri_pod *pod, struct error *err)
{
    char path[PATH_MAX];
    double before, after;
    int64_t begun, ended;

    snprintf(path, sizeof path, "%s/%s/c.log", c->bench->logs, pod->name);
    usleep(WARM_UP_MS * 1000);
    if (size_of(path, &begun, &before, err) < 0)
        return -1;
    sleep((unsigned)c->bench->seconds);
    if (size_of(path, &ended, &after, err) < 0)
        return -1;
    samples_print_one("log", "MB/s",
                      (after - before) / ((double)(ended - begun) / (double)CLOCK_NS_PER_S));
    return 0;
}

int bench_log(const struct bench *b, struct error *err)
{
    const char *args[] = {"yes", NULL};
    struct cri_pod pod = {0};
    char line[LINE_SIZE];
    struct cri c;
    int rc;

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0'; /* where yes puts the newline */
    args[1] = line;
    snprintf(pod.name, sizeof pod.name, "%slog", b->prefix);
    if (cri_open(&c, b, err) < 0)
        return -1;
    rc = cri_run_pod(&c, &pod, err) < 0 || cri_create(&c, &pod, args, 2, err) < 0 ||
                 cri_start(&c, &pod, err) < 0 || watch(&c, &pod, err) < 0 ||
                 cri_stop(&c, &pod, err) < 0 || cri_remove(&c, &pod, err) < 0 ||
                 cri_stop_pod(&c, &pod, err) < 0 || cri_remove_pod(&c, &pod, err) < 0
             ? -1
             : 0;
    cri_close(&c);
    return rc;
}
