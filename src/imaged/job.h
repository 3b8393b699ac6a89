// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"

/* job: what berthd wants done, as docs/image-protocol.md has it. */
enum { JOB_CONCURRENCY = 3, JOB_OUTPUT_FD = 3 };

/* Does it and sends the events of success; the caller sends that of failure. */
MUST_CHECK int job_run(struct json_object *job, struct error *err);
