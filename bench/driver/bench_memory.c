// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/own.h"
#include "bench.h"
#include "samples.h"

/* Memory and processor time of the daemon and of the processes that stay with pods: shims,
 * monitors and pause. All processes of the machine are looked at, so the runtime under test has to
 * be alone in its PID namespace. */

enum { FILE_MAX = 64 * 1024, KIB_PER_MB = 1000 };

static const char *const MONITORS[] = {"containerd-shim", "conmon", "pause"};

static int load(int pid, const char *name, struct buf *out, struct error *err)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/%s", pid, name);

    return file_load(AT_FDCWD, path, out, err);
}

/* In KiB; 0 when the process has ended. */
static double pss(int pid)
{
    AUTO_FINI(buf) rollup = BUF(FILE_MAX);
    struct error gone;
    const char *at;

    if (load(pid, "smaps_rollup", &rollup, &gone) < 0 || !rollup.len)
        return 0;
    at = strstr(rollup.data, "\nPss:");
    return at ? strtod(at + strlen("\nPss:"), NULL) : 0;
}

/* comm is cut after 15 characters. */
static bool is_monitor(int pid)
{
    AUTO_FINI(buf) comm = BUF(FILE_MAX);
    struct error gone;

    if (load(pid, "comm", &comm, &gone) < 0 || !comm.len)
        return false;
    comm.data[comm.len - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(MONITORS); i++)
        if (strncmp(comm.data, MONITORS[i], 15) == 0)
            return true;
    return false;
}

int bench_memory(const struct bench *b, struct error *err)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    double monitors = 0;
    int n = 0;

    if (!proc)
        return error_errno(err, errno, "read /proc");
    while ((entry = readdir(proc))) {
        int pid = isdigit((unsigned char)*entry->d_name) ? (int)strtol(entry->d_name, NULL, 10) : 0;

        if (pid > 0 && pid != b->daemon && is_monitor(pid)) {
            monitors += pss(pid);
            n++;
        }
    }
    closedir(proc);
    samples_print_one("daemon_pss", "MB", pss(b->daemon) / KIB_PER_MB);
    samples_print_one("monitors_pss_per_pod", "MB", monitors / KIB_PER_MB / b->rounds);
    samples_print_one("monitors_per_pod", "", (double)n / b->rounds);
    return 0;
}

/* User and system time: fields 14 and 15, where the second ends with the last parenthesis. */
static int cpu_seconds(int pid, double *out, struct error *err)
{
    AUTO_FINI(buf) stat = BUF(FILE_MAX);
    const char *at;
    char *end;

    if (load(pid, "stat", &stat, err) < 0)
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
    double before, after;

    if (cpu_seconds(b->daemon, &before, err) < 0)
        return -1;
    sleep((unsigned)b->seconds);
    if (cpu_seconds(b->daemon, &after, err) < 0)
        return -1;
    samples_print_one("idle_cpu", "s per 10 s", (after - before) * 10 / b->seconds);
    return 0;
}
