// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

/* oom_ledger: how many processes the OOM killer took in each container of the pod.
 *
 * The kernel counts them in the container's cgroup, and as long as that is there, its count is the
 * truth. But systemd takes a scope away as soon as the last process in it has ended, before the
 * shim comes to read, and the count goes with it. The cgroup above, the pod's, counts for all that
 * are in it, and stays. So the ledger keeps how much of the pod's count is known to be of which
 * container; what there is beyond belongs to those whose own count has gone. Is that one, it is
 * certain; are there several, each of them may have lost processes.
 *
 * Of version 2, for what systemd makes; other entries are in no ledger, as their cgroups stay until
 * the OCI runtime takes them away. Never in the way: what cannot be read counts as nothing. One
 * thread. */
struct oom_ledger {
    char *file; /* the pod's memory.events; NULL: there is none, or not for the pod alone */
    int fd;
    uint64_t known; /* so much of its count is accounted for */
    struct list entries;
};

/* One container's; whoever has it keeps it where it is until it is closed. */
struct oom_entry {
    struct list link;
    struct oom_ledger *ledger; /* NULL: it is in none */
    char *file;                /* memory.events or memory.oom_control; NULL: not known yet */
    int fd;
    uint64_t kills;     /* as far as is known */
    bool may_have_more; /* as may others, and nobody knows whose they are */
};

#define OOM_LEDGER_NONE ((struct oom_ledger){.fd = -1})
#define OOM_ENTRY_NONE  ((struct oom_entry){.fd = -1})

void oom_ledger_init(struct oom_ledger *l);
void oom_ledger_fini(struct oom_ledger *l);

/* Before anything runs in the container: file is its counter, which need not be there yet, and
 * pod_file that of the cgroup above, or NULL; both are copied. The first entry says for all which
 * that is. */
void oom_ledger_add(struct oom_ledger *l, struct oom_entry *e, const char *file,
                    const char *pod_file);

/* Out of its ledger, if it is in one. What is known of it stays. */
void oom_ledger_remove(struct oom_entry *e);

/* Closes its counter, too. */
void oom_ledger_close(struct oom_entry *e);

/* Looks at its own counter; false when that cannot be read, or not any more. */
bool oom_ledger_read(struct oom_entry *e);

/* Looks at all counters, and finds out whose the rest of the pod's are. */
void oom_ledger_settle(struct oom_ledger *l);
