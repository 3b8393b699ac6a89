// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/own.h"
#include "imaged/endpoint.h"
#include "imaged/registry.h"

/* download: one blob on its way: what has come of it, over all hosts and broken connections.
 *
 * It counts and hashes, and gives each byte to the sink once. Of one thread. */
struct download;

enum { DOWNLOAD_STALLS_MAX = 3 }; /* broken connections in a row that brought nothing */

MUST_CHECK struct download *download_new(const struct descriptor *d,
                                         const struct registry_sink *sink);
void download_free(struct download *dl);
DEFINE_AUTO(download)

/* Hashes what the sink has kept of an earlier attempt. 0 when that is all of it, 1 when something
 * is missing. */
MUST_CHECK int download_go_on(struct download *dl, struct error *err);

/* Gets the rest of the blob from one endpoint. out_fault and out_status tell what went wrong when
 * -1; HTTP_FAULT_BODY means that asking another host is of no use. The digest is not checked. */
struct download_failure {
    enum http_fault fault;
    int status; /* 0: no answer */
};
MUST_CHECK int download_from(struct download *dl, struct endpoint *e,
                             const struct endpoint_request *request, struct download_failure *out,
                             struct error *err);

/* Once all is there: ERROR_PRECONDITION when it is not what the descriptor says. */
MUST_CHECK int download_verify(struct download *dl, struct error *err);
