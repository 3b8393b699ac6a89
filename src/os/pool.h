// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* pool: threads for requests that run top to bottom and may block.
 *
 * It grows to a maximum while jobs wait and shrinks again after some idle seconds, so that an idle
 * daemon keeps hardly any thread. Stacks are small (256 KiB). Any thread may submit. */
struct pool;

MUST_CHECK struct pool *pool_new(size_t threads_max, struct error *err);

/* Lets running and queued jobs end, for at most ms; then no more may be submitted. False when some
 * are still running: the pool cannot be freed before they have ended. */
MUST_CHECK bool pool_close(struct pool *p, int64_t ms);

/* Waits for running and queued jobs, then frees. */
void pool_free(struct pool *p);

/* Queues when all threads are busy: nothing is refused. */
void pool_submit(struct pool *p, void (*job)(void *data), void *data);
