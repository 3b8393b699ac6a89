// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/arena.h"
#include "shim/call.h"
#include "shim/shim.h"
#include "ttrpc.pb-c.h"

/* service: finds what a request asks for and lets it be done.
 *
 * Served are the task services of versions 2 and 3, which have the same messages, the sandbox
 * service, and berth.shim.v1.Container. */

/* Returns 0 when the call is answered or somebody keeps it, -1 when it is to be failed with err. */
MUST_CHECK int service_dispatch(struct shim *s, struct call *call, const Ttrpc__Request *request,
                                struct arena *arena, struct error *err);

/* What serves one method: the same contract. The request is of the method's type and is gone
 * after the return. */
typedef int service_handler(struct shim *s, struct call *call, const void *request,
                            struct error *err);

struct service_method {
    const char *name;
    service_handler *serve;
};

/* What a request names; NULL with ERROR_NOT_FOUND. */
MUST_CHECK struct task *service_find_task(const struct shim *s, const char *id, struct error *err);
MUST_CHECK struct exec *service_find_exec(const struct shim *s, const char *id, const char *exec_id,
                                          struct error *err);

/* The methods of each service, with a NULL name behind the last. */
extern const struct service_method service_task_methods[];
extern const struct service_method service_sandbox_methods[];
extern const struct service_method service_container_methods[];
