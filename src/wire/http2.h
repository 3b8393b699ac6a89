// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nghttp2/nghttp2.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* http2: what both ends of gRPC need of nghttp2. */

/* What nghttp2 refuses to submit is for a stream or a connection that is about to end, and its end
 * tells the rest; so only out of memory is left, and that aborts as in base/own.h. */
static inline void http2_submitted(int rc)
{
    if (rc == NGHTTP2_ERR_NOMEM)
        abort();
}

/* A header; the name is a literal, the value is copied by nghttp2. */
static inline nghttp2_nv http2_field(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)name,
        .namelen = strlen(name),
        .value = (uint8_t *)value,
        .valuelen = strlen(value),
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME,
    };
}
