// SPDX-License-Identifier: Apache-2.0
#include "cri/stream_calls.h"

#include <cri.pb-c.h>

#include "cri/outcome.h"
#include "pod/container.h"
#include "pod/sandbox.h"
#include "stream/stream_server.h"

/* The URL, in the call's arena; NULL. Takes the request. */
static char *url_for(struct rpc_call *call, struct node *n, struct stream_request *taken,
                     struct error *err)
{
    AUTO_FREE char *url = NULL;

    if (stream_server_url(n->streams, taken, &url, err) < 0)
        return NULL;
    return arena_strdup(rpc_call_arena(call), url);
}

/* The ends that the client wants, if they go together. */
static int set_streams(struct stream_request *r, bool tty, bool in, bool out, bool errors,
                       struct error *err)
{
    r->tty = tty;
    r->has_stdin = in;
    r->has_stdout = out;
    r->has_stderr = errors;
    if (r->tty && r->has_stderr)
        return error_set(err, ERROR_INVALID, "tty and stderr cannot both be true");
    if (!r->has_stdin && !r->has_stdout && !r->has_stderr)
        return error_set(err, ERROR_INVALID, "one of stdin, stdout, or stderr must be set");
    return 0;
}

int stream_calls_exec(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                      ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__ExecRequest *r = (const Runtime__V1__ExecRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);
    AUTO(stream_request) *stream = NULL;

    if (!c || container_check_running(c, err) < 0)
        return outcome_of(-1, err);
    if (r->n_cmd == 0)
        return error_set(err, ERROR_INVALID, "the command is empty");
    stream = stream_request_new(STREAM_EXEC, c->id);
    for (size_t i = 0; i < r->n_cmd; i++)
        strv_add(&stream->command, r->cmd[i]);
    if (set_streams(stream, r->tty, r->stdin, r->stdout, r->stderr, err) < 0)
        return -1;
    ((Runtime__V1__ExecResponse *)response)->url = url_for(call, data, TAKE(stream), err);
    return ((Runtime__V1__ExecResponse *)response)->url ? 0 : -1;
}

int stream_calls_attach(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                        ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__AttachRequest *r = (const Runtime__V1__AttachRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);
    AUTO(stream_request) *stream = NULL;

    if (!c || container_check_running(c, err) < 0)
        return outcome_of(-1, err);
    stream = stream_request_new(STREAM_ATTACH, c->id);
    if (set_streams(stream, r->tty, r->stdin, r->stdout, r->stderr, err) < 0)
        return -1;
    ((Runtime__V1__AttachResponse *)response)->url = url_for(call, data, TAKE(stream), err);
    return ((Runtime__V1__AttachResponse *)response)->url ? 0 : -1;
}

static int add_ports(struct stream_request *stream, const Runtime__V1__PortForwardRequest *r,
                     struct error *err)
{
    if (r->n_port > STREAM_PORTS_MAX)
        return error_set(err, ERROR_INVALID, "more than %d ports", STREAM_PORTS_MAX);
    for (size_t i = 0; i < r->n_port; i++) {
        if (r->port[i] < 1 || r->port[i] > UINT16_MAX)
            return error_set(err, ERROR_INVALID, "%d is no port", r->port[i]);
        stream->ports[stream->n_ports++] = (uint16_t)r->port[i];
    }
    return 0;
}

int stream_calls_port_forward(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                              ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__PortForwardRequest *r = (const Runtime__V1__PortForwardRequest *)request;
    AUTO(sandbox) *s = sandbox_find(data, r->pod_sandbox_id, err);
    AUTO(stream_request) *stream = NULL;

    if (!s)
        return outcome_of(-1, err);
    if (sandbox_state(s) != SANDBOX_READY)
        return error_set(err, ERROR_UNKNOWN, "sandbox container %s is not running", s->id);
    stream = stream_request_new(STREAM_PORT_FORWARD, s->id);
    if (add_ports(stream, r, err) < 0)
        return -1;
    ((Runtime__V1__PortForwardResponse *)response)->url = url_for(call, data, TAKE(stream), err);
    return ((Runtime__V1__PortForwardResponse *)response)->url ? 0 : -1;
}
