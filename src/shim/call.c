// SPDX-License-Identifier: Apache-2.0
#include "shim/call.h"

#include "base/fd.h"
#include "base/own.h"
#include "shim/server.h"

static unsigned n_calls;

struct call *call_new(struct connection *c, uint32_t stream, int64_t timeout_ns)
{
    struct call *call;

    if (n_calls == CALL_MAX)
        return NULL;
    n_calls++;
    call = xcalloc(1, sizeof *call);
    *call = (struct call){.connection = c,
                          .stream = stream,
                          .timeout_ns = timeout_ns > 0 ? timeout_ns : CALL_TIMEOUT_DEFAULT_NS};
    list_init(&call->link);
    list_init(&call->connection_link);
    server_add_call(c, call);
    return call;
}

void call_free(struct call *call)
{
    if (!call)
        return;
    list_remove(&call->link);
    list_remove(&call->connection_link);
    for (size_t i = 0; i < call->n_fds; i++)
        fd_close(&call->fds[i]);
    free(call);
    n_calls--;
}

bool call_has_client(const struct call *call)
{
    return call->connection && server_has_client(call->connection);
}

void call_reply(struct call *call, const ProtobufCMessage *message)
{
    if (call->connection)
        server_answer(call->connection, call->stream, NULL, message);
    call_free(call);
}

void call_fail(struct call *call, const struct error *err)
{
    if (call->connection)
        server_answer(call->connection, call->stream, err, NULL);
    call_free(call);
}
