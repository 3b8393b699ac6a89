// SPDX-License-Identifier: Apache-2.0
#include "stream/stream_request.h"

#include <stdio.h>
#include <stdlib.h>

struct stream_request *stream_request_new(enum stream_kind kind, const char *id)
{
    struct stream_request *r = xcalloc(1, sizeof *r);

    r->kind = kind;
    snprintf(r->id, sizeof r->id, "%s", id);
    return r;
}

void stream_request_free(struct stream_request *r)
{
    if (!r)
        return;
    strv_fini(&r->command);
    free(r);
}

const char *stream_request_path(enum stream_kind kind)
{
    static const char *const paths[] = {"exec", "attach", "portforward"};

    return paths[kind];
}
