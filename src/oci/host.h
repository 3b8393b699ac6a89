// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

/* host: facts of the node and of this process that a container's specification depends on.
 *
 * Gathered once when the daemon starts and constant from then on. Memory of the caller; any thread
 * may read. */
enum oci_cgroup_mode {
    OCI_CGROUP_V1,
    OCI_CGROUP_HYBRID, /* v1 controllers and a v2 hierarchy without them */
    OCI_CGROUP_V2,
};

struct oci_host {
    enum oci_cgroup_mode cgroup_mode;
    bool swap_controlled;        /* memory.swap.max or memory.memsw.limit_in_bytes is there */
    bool hugetlb_controlled;     /* there is a hugetlb controller */
    unsigned cpus, memory_nodes; /* that there can be; 0: it is not known */
    struct strv hugepage_sizes;  /* 2MB and the like, as that controller has them; may be empty */
    struct strv capabilities;    /* effective ones of this process, such as CAP_CHOWN */
    int oom_score_adj;           /* of this process */
    bool oom_score_bounded;      /* it must not go below that: no CAP_SYS_RESOURCE */
    bool has_seccomp;
    bool has_apparmor;             /* and its parser is installed, and we are in no container */
    const char *apparmor_profiles; /* the kernel's list of those that are loaded: a constant */
    const char *apparmor_parser;   /* the program: a constant */
    bool has_selinux;
    bool systemd_answers; /* it is the first process, and there is a bus to ask it by */
    unsigned kernel_major;
    unsigned kernel_minor;
    char hostname[65];
    const char *resctrl; /* where that file system is mounted, if it is: a constant */
};

MUST_CHECK int oci_host_detect(struct oci_host *out, struct error *err);
void oci_host_fini(struct oci_host *h);

/* True from that kernel version on. */
bool oci_host_kernel_is(const struct oci_host *h, unsigned major, unsigned minor);

/* The OOM score that a container gets which asks for wanted: below our own only with
 * CAP_SYS_RESOURCE. Callers who want to log a difference compare. */
int64_t oci_host_oom_score_adj(const struct oci_host *h, int64_t wanted);
