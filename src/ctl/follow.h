// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ctl/ctl.h"

/* follow: a container's log, on our standard output and standard error, from its beginning. */
struct follow;

/* ERROR_PRECONDITION when the container was made without a log. */
MUST_CHECK struct follow *follow_open(struct ctl *c, const char *container_id, struct error *err);
void follow_free(struct follow *f);
DEFINE_AUTO(follow)

/* Leaves out all but the last lines of what is there. */
MUST_CHECK int follow_skip(struct follow *f, int64_t lines, struct error *err);

/* What is there and was not printed yet. */
MUST_CHECK int follow_print(struct follow *f, struct error *err);

/* Until the container has ended. ERROR_CANCELLED when c->cancel_fd says so; it may be called again.
 * out_exit_code may be NULL. */
MUST_CHECK int follow_until_exit(struct follow *f, struct ctl *c, int *out_exit_code,
                                 struct error *err);
