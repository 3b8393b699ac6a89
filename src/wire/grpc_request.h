// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* grpc_request: the head of a request, gathered header by header. Memory of the caller; one thread
 * at a time. */
enum { GRPC_REQUEST_HEADERS_MAX = 64 * 1024 }; /* counted as SETTINGS_MAX_HEADER_LIST_SIZE does */

struct grpc_request {
    char *path; /* "/package.Service/Method" */
    bool is_post;
    bool is_grpc;        /* by its content-type */
    char timeout[16];    /* as received, as far as it fits; a valid one does */
    int64_t timeout_ns;  /* once checked; -1: none */
    size_t header_bytes; /* seen, not kept */
};

void grpc_request_init(struct grpc_request *r);
void grpc_request_fini(struct grpc_request *r);

/* Keeps what matters of a header. The strings end with a NUL, as nghttp2 gives them. */
void grpc_request_add_header(struct grpc_request *r, const char *name, const char *value,
                             size_t value_len);

/* After the last header: fails when this is no gRPC request, with the HTTP status to answer. */
MUST_CHECK int grpc_request_check(struct grpc_request *r, int *out_http_status, struct error *err);
