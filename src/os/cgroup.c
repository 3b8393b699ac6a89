// SPDX-License-Identifier: Apache-2.0
#include "os/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"

enum { FILE_MAX = 8192 };

/* Above this a limit is the kernel's word for none. */
static const uint64_t no_limit = UINT64_C(1) << 62;

static const char base[] = "/sys/fs/cgroup";

/* "a-b.slice" lies in "a.slice": every dash is a folder. */
static char *slice_path(const char *slice)
{
    const char *end = strstr(slice, ".slice");
    size_t len = end ? (size_t)(end - slice) : strlen(slice);
    char *path = xstrdup("");

    for (size_t i = 1; i <= len; i++) {
        char *longer;

        if (i < len && slice[i] != '-')
            continue;
        longer = xasprintf("%s/%.*s.slice", path, (int)i, slice);
        free(path);
        path = longer;
    }
    return path;
}

char *cgroup_path_of(const char *cgroups_path)
{
    const char *first = strchr(cgroups_path, ':'), *second = first ? strchr(first + 1, ':') : NULL;
    AUTO_FREE char *slice = NULL, *folder = NULL;

    if (!second)
        return xstrdup(cgroups_path);
    slice = xstrndup(cgroups_path, (size_t)(first - cgroups_path));
    folder = slice_path(slice);
    return xasprintf("%s/%.*s-%s.scope", folder, (int)(second - first - 1), first + 1, second + 1);
}

/* The folder of the group in one hierarchy; -1 when it is not there. */
static int open_group(const char *hierarchy, const char *path)
{
    AUTO_FREE char *folder = xasprintf("%s/%s%s", base, hierarchy, path);

    return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool read_file(int group, const char *name, char text[static FILE_MAX])
{
    AUTO_CLOSE int fd = group < 0 ? -1 : openat(group, name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, FILE_MAX - 1);

    if (len < 0)
        return false;
    text[len] = '\0';
    return true;
}

static bool read_number(int group, const char *name, uint64_t *out)
{
    char text[FILE_MAX], *end;
    uint64_t n;

    if (!read_file(group, name, text))
        return false;
    n = strtoull(text, &end, 10);
    if (end == text)
        return false; /* "max" */
    *out = n;
    return true;
}

/* The number behind a key at the beginning of a line; 0 when it is not there. */
static uint64_t number_of(const char *text, const char *key)
{
    size_t len = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        if (*line == '\n')
            line++;
        if (strncmp(line, key, len) == 0 && line[len] == ' ')
            return strtoull(line + len + 1, NULL, 10);
    }
    return 0;
}

static uint64_t minus(uint64_t all, uint64_t part)
{
    return all > part ? all - part : 0;
}

static void read_v1(const char *path, struct cgroup_usage *u)
{
    AUTO_CLOSE int cpu = open_group("cpuacct", path);
    AUTO_CLOSE int memory = open_group("memory", path);
    AUTO_CLOSE int pids = open_group("pids", path);
    char stat[FILE_MAX];

    u->has_cpu = read_number(cpu, "cpuacct.usage", &u->cpu_ns);
    u->has_pids = read_number(pids, "pids.current", &u->pids);
    if (!read_number(memory, "memory.usage_in_bytes", &u->memory_bytes) ||
        !read_file(memory, "memory.stat", stat))
        return;
    u->has_memory = true;
    u->working_set_bytes = minus(u->memory_bytes, number_of(stat, "total_inactive_file"));
    u->rss_bytes = number_of(stat, "total_rss");
    u->page_faults = number_of(stat, "total_pgfault");
    u->major_page_faults = number_of(stat, "total_pgmajfault");
    if (read_number(memory, "memory.limit_in_bytes", &u->memory_limit_bytes) &&
        u->memory_limit_bytes > no_limit)
        u->memory_limit_bytes = 0;
}

/* crun puts a container into a group below its scope, and the limits there: systemd forgets those
 * of the scope itself when it reads its units again. The counts of the scope are those of both. */
static bool read_limit(int group, const char *name, uint64_t *out)
{
    AUTO_FREE char *below = xasprintf("container/%s", name);
    uint64_t inner;
    bool is_limited = read_number(group, name, out);

    if (!read_number(group, below, &inner))
        return is_limited;
    if (!is_limited || inner < *out)
        *out = inner;
    return true;
}

static bool parse_stall(const char *text, const char *kind, struct cgroup_stall *out)
{
    static const char format[] = " avg10=%lf avg60=%lf avg300=%lf total=%" SCNu64;
    const char *line = strstr(text, kind);
    struct cgroup_stall s;

    if (!line || sscanf(line + strlen(kind), format, // NOLINT
                        &s.avg10, &s.avg60, &s.avg300, &s.total_ns) != 4)
        return false;
    s.total_ns *= 1000; /* it is in microseconds there */
    *out = s;
    return true;
}

struct cgroup_pressure cgroup_pressure_parse(const char *text)
{
    struct cgroup_pressure p = {0};
    bool some = parse_stall(text, "some", &p.some), full = parse_stall(text, "full", &p.full);

    p.is_known = some || full;
    return p;
}

static struct cgroup_pressure read_pressure(int group, const char *name)
{
    char text[FILE_MAX];

    return read_file(group, name, text) ? cgroup_pressure_parse(text) : (struct cgroup_pressure){0};
}

static void read_v2(int group, struct cgroup_usage *u)
{
    char stat[FILE_MAX];

    u->cpu_pressure = read_pressure(group, "cpu.pressure");
    u->memory_pressure = read_pressure(group, "memory.pressure");
    u->io_pressure = read_pressure(group, "io.pressure");
    u->has_swap = read_number(group, "memory.swap.current", &u->swap_bytes);
    u->has_swap_limit = read_limit(group, "memory.swap.max", &u->swap_limit_bytes);

    if (read_file(group, "cpu.stat", stat)) {
        u->has_cpu = true;
        u->cpu_ns = number_of(stat, "usage_usec") * 1000;
    }
    u->has_pids = read_number(group, "pids.current", &u->pids);
    if (!read_number(group, "memory.current", &u->memory_bytes) ||
        !read_file(group, "memory.stat", stat))
        return;
    u->has_memory = true;
    u->working_set_bytes = minus(u->memory_bytes, number_of(stat, "inactive_file"));
    u->rss_bytes = number_of(stat, "anon");
    u->page_faults = number_of(stat, "pgfault");
    u->major_page_faults = number_of(stat, "pgmajfault");
    read_limit(group, "memory.max", &u->memory_limit_bytes);
}

int cgroup_read_usage(const char *path, struct cgroup_usage *out, struct error *err)
{
    struct cgroup_usage u = {0};

    if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0) {
        AUTO_CLOSE int group = open_group("", path);

        read_v2(group, &u);
    } else {
        read_v1(path, &u);
    }
    if (!u.has_cpu && !u.has_memory)
        return error_set(err, ERROR_NOT_FOUND, "there is no cgroup %s", path);
    *out = u;
    return 0;
}
