// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "os/deadline.h"
#include "pod/container.h"

/* container_exec: a command inside a running container, to its end. Any thread. */
enum { CONTAINER_EXEC_OUTPUT_MAX = 16 * 1024 * 1024 };

/* Together the outputs have at most CONTAINER_EXEC_OUTPUT_MAX bytes, less what an answer needs
 * around them, so that the answer fits into a message; the rest is thrown away. */
struct container_exec_result {
    struct buf out;
    struct buf err;
    int exit_code;
};
void container_exec_result_init(struct container_exec_result *r);
void container_exec_result_fini(struct container_exec_result *r);

/* ExecSync, §11.1. timeout_s 0 is none; when it passes the command is killed: ERROR_DEADLINE. A
 * grandchild that holds the outputs open does not hold up the answer. */
MUST_CHECK int container_exec_sync(struct container *c, char **cmd, size_t n_cmd, int64_t timeout_s,
                                   const struct deadline *client, struct container_exec_result *out,
                                   struct error *err);
