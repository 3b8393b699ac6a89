// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shim/relay.h"
#include "shim/streams.h"

/* attachment: a client that is given what a container writes, beside the log, and that may write to
 * its stdin. It frees itself once all its descriptors are closed.
 *
 * What a client does not take is held for it, at most what one read of an output gave, and that
 * output is not read on until everybody has taken everything. Who takes nothing for
 * ATTACHMENT_STALL_MS is let go, so that nobody holds up the container and its log for long. */
enum { ATTACHMENTS_MAX = 32, ATTACHMENT_STALL_MS = 10 * 1000 };

/* Each of the spec's three is fd://N, or "" when it is not wanted. With stdin_once the end of its
 * stdin is the end of the container's. ERROR_EXHAUSTED beyond ATTACHMENTS_MAX, ERROR_PRECONDITION
 * when the container has no stdin. */
MUST_CHECK int attachment_open(struct streams *s, const struct streams_spec *spec, bool stdin_once,
                               struct error *err);

/* What the output (0 or 1) said, for all attachments of the streams. */
void attachment_feed(struct streams *s, size_t which, const char *data, size_t len);

/* Outputs that nobody is behind with are read on. */
void attachment_resume(struct streams *s);

/* Lets all of them go. */
void attachment_close_all(struct streams *s);
