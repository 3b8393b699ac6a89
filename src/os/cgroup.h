// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* cgroup: what the kernel counts for a group of processes, on cgroup v1, v2 or both beside each
 * other, below /sys/fs/cgroup. Any thread. */
struct cgroup_stall {
    uint64_t total_ns;
    double avg10, avg60, avg300; /* percent of the last so many seconds */
};

/* For how long some, or all, of the processes waited for a resource. Version 2 only, and only where
 * the kernel measures it. */
struct cgroup_pressure {
    bool is_known;
    struct cgroup_stall some, full;
};

struct cgroup_usage {
    bool has_cpu;
    uint64_t cpu_ns;
    bool has_memory;
    uint64_t memory_bytes;
    uint64_t memory_limit_bytes; /* 0: none */
    uint64_t working_set_bytes;
    uint64_t rss_bytes;
    uint64_t page_faults;
    uint64_t major_page_faults;
    bool has_swap; /* version 2 only */
    uint64_t swap_bytes;
    bool has_swap_limit;
    uint64_t swap_limit_bytes;
    bool has_pids;
    uint64_t pids;
    struct cgroup_pressure cpu_pressure, memory_pressure, io_pressure;
};

/* The path below a hierarchy for an OCI cgroupsPath: itself, or for systemd's
 * "<slice>:<prefix>:<id>" the scope inside its slices. The caller frees. */
char *cgroup_path_of(const char *cgroups_path);

/* path is below the hierarchies, such as "/berth/<id>". What cannot be read is left out; only a
 * group that is in no hierarchy is ERROR_NOT_FOUND. */
MUST_CHECK int cgroup_read_usage(const char *path, struct cgroup_usage *out, struct error *err);

/* The text of a file like cpu.pressure. A line that is not there is zero; without any it is
 * unknown. */
struct cgroup_pressure cgroup_pressure_parse(const char *text);
