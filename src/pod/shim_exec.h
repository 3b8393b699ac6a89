// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "os/deadline.h"
#include "pod/container.h"

/* shim_exec: a command inside a container, for somebody who stays with it: when they are gone, be
 * it that berthd has died, the shim kills it and forgets it.
 *
 * Memory of the caller, who has set the first five; one thread at a time. */
struct shim_exec {
    struct container *container;
    struct json_object *config;  /* of the container: its config.json */
    struct json_object *process; /* of the OCI runtime specification */
    bool has_terminal;
    int fds[3]; /* become its stdin, stdout and stderr; -1: none. The shim gets copies */
    char id[ID_SIZE];
    int ended_fd; /* readable when it has ended, and all its terminal had to say is said */
};

/* When it fails nothing of it is left. */
MUST_CHECK int shim_exec_start(struct shim_exec *x, const struct deadline *by, struct error *err);

/* The same in one request, which costs less, and where the shim can do it without the OCI runtime,
 * which costs least. That it could not be started is told at its end. */
MUST_CHECK int shim_exec_run(struct shim_exec *x, const struct deadline *by, struct error *err);

/* Waits for its end, after which the shim has forgotten it. Once. */
MUST_CHECK int shim_exec_wait(struct shim_exec *x, const struct deadline *by, int *out_status,
                              struct error *err);

/* SIGKILL, and waits for its end. */
void shim_exec_kill(struct shim_exec *x);
