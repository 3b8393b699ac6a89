// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "shim/poller.h"

/* offload: system calls that a disk may keep from returning, for as long as it likes.
 *
 * The shim's only thread must not be in one of them, or it neither answers nor reaps nor writes
 * other logs. So they are made on a thread beside, for which the shim waits a little. Mostly it is
 * done by then, and all is as if it had made the call itself. Otherwise the call is late: the shim
 * goes on, and is told when it has returned.
 *
 * A thread that had nothing to do for a tenth of a second ends; there is more than one only while
 * calls are late. Where no thread can be had the call is made as ever. All here is for the shim's
 * own thread, but work(), which touches nothing that anybody else looks at meanwhile. */
struct offload_job {
    struct list link;
    void (*work)(struct offload_job *j);
    void (*done)(struct offload_job *j); /* only if it was late; on the shim's thread */
    bool is_done;
    bool is_late;
};

enum { OFFLOAD_THREADS_MAX = 64 };

/* Before the first job. */
void offload_init(struct poller *p);

/* The job is the caller's memory until it is done: true, it is; false, it is late. */
bool offload_run(struct offload_job *j, int64_t patience_ms);

/* Waits for one that is late: true, it is done, and done() is not called; false, it is late still.
 */
bool offload_await(struct offload_job *j, int64_t patience_ms);

/* How many threads there are now. */
size_t offload_threads(void);
