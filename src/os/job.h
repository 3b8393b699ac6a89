// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "os/deadline.h"

/* job: work with a key, so that a request whose client went away is not done twice.
 *
 * The first request with a key leads: it does the work on its own thread, to the end even when its
 * client is gone. One that comes with the same key meanwhile joins: it waits for the leader and
 * gets the leader's outcome. Any thread. */
struct job;
struct job_table;

struct job_table *job_table_new(void);
void job_table_free(struct job_table *t); /* no job may be running */

enum job_role { JOB_LEADS = 0, JOB_JOINED = 1 };

/* JOB_LEADS: *out is to be given to job_leave(). JOB_JOINED: the leader succeeded and *out_result
 * is a copy of its result, the caller's to free. -1: the leader's error, or the deadline passed.
 *
 * With only_abandoned, joining a leader whose client still waits is ERROR_PRECONDITION. client is
 * kept until job_leave(). */
MUST_CHECK int job_enter(struct job_table *t, const char *key, const struct deadline *client,
                         bool only_abandoned, struct job **out, char **out_result,
                         struct error *err);

/* Ends the job for all who joined, with a result (copied) or, when result is NULL, with err. */
void job_leave(struct job *j, const char *result, const struct error *err);

/* Does work that has no result but its outcome, or joins whoever is at it and has that outcome. The
 * leader's work does not end when its client leaves; who joined leaves at the deadline. */
typedef int job_work(void *data, struct error *err);
MUST_CHECK int job_share(struct job_table *t, const char *key, const struct deadline *client,
                         job_work *work, void *data, struct error *err);
