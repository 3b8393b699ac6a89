// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_request.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "wire/grpc_text.h"

enum { HEADER_OVERHEAD = 32 }; /* RFC 9113, 6.5.2 */
enum { HTTP_OK = 200, HTTP_NOT_ALLOWED = 405, HTTP_UNSUPPORTED_TYPE = 415 };

void grpc_request_init(struct grpc_request *r)
{
    *r = (struct grpc_request){.timeout_ns = -1};
}

void grpc_request_fini(struct grpc_request *r)
{
    free(r->path);
    r->path = NULL;
}

/* application/grpc, application/grpc+proto and parameters behind them. */
static bool is_grpc_type(const char *value)
{
    static const char type[] = "application/grpc", proto[] = "+proto";

    if (strncmp(value, type, sizeof type - 1) != 0)
        return false;
    value += sizeof type - 1;
    if (strncmp(value, proto, sizeof proto - 1) == 0)
        value += sizeof proto - 1;
    return *value == '\0' || *value == ';';
}

void grpc_request_add_header(struct grpc_request *r, const char *name, const char *value,
                             size_t value_len)
{
    r->header_bytes += strlen(name) + value_len + HEADER_OVERHEAD;
    if (r->header_bytes > GRPC_REQUEST_HEADERS_MAX)
        return;
    if (strcmp(name, ":path") == 0 && !r->path)
        r->path = xstrdup(value);
    else if (strcmp(name, ":method") == 0)
        r->is_post = strcmp(value, "POST") == 0;
    else if (strcmp(name, "content-type") == 0)
        r->is_grpc = is_grpc_type(value);
    else if (strcmp(name, "grpc-timeout") == 0)
        snprintf(r->timeout, sizeof r->timeout, "%s", value);
}

int grpc_request_check(struct grpc_request *r, int *out_http_status, struct error *err)
{
    *out_http_status = HTTP_OK;
    if (r->header_bytes > GRPC_REQUEST_HEADERS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "headers of %zu bytes, more than the limit of %d",
                         r->header_bytes, GRPC_REQUEST_HEADERS_MAX);
    if (!r->is_post) {
        *out_http_status = HTTP_NOT_ALLOWED;
        return error_set(err, ERROR_INTERNAL, "gRPC requests are POST requests");
    }
    if (!r->is_grpc) {
        *out_http_status = HTTP_UNSUPPORTED_TYPE;
        return error_set(err, ERROR_INVALID, "the content-type is not application/grpc");
    }
    if (!r->path)
        return error_set(err, ERROR_INTERNAL, "a request without path");
    if (r->timeout[0])
        return grpc_text_parse_timeout(r->timeout, &r->timeout_ns, err);
    return 0;
}
