// SPDX-License-Identifier: Apache-2.0
#include "ctl/ctl.h"

enum { ANSWERS_MAX = 256 * 1024 * 1024, TIMEOUT_MS = 120 * 1000 };

void ctl_init(struct ctl *c, const char *socket)
{
    *c = (struct ctl){.socket = socket, .cancel_fd = -1};
    arena_init(&c->arena, ANSWERS_MAX);
}

void ctl_fini(struct ctl *c)
{
    rpc_client_close(c->client);
    arena_fini(&c->arena);
}

static int connect_once(struct ctl *c, struct error *err)
{
    if (!c->client)
        c->client = rpc_client_open(c->socket, err);
    if (c->client)
        return 0;
    if (err->code == ERROR_UNAVAILABLE || err->code == ERROR_NOT_FOUND)
        error_set(err, ERROR_UNAVAILABLE,
                  "nobody listens on %s: start berthd, or name its socket with --socket",
                  c->socket);
    else if (err->code == ERROR_PERMISSION)
        error_set(err, ERROR_PERMISSION, "%s is not open to you: run berthctl as root", c->socket);
    return -1;
}

static void *call(struct ctl *c, struct arena *a, const ProtobufCServiceDescriptor *service,
                  const char *method, const void *request, struct error *err)
{
    struct deadline by = deadline_in_ms(TIMEOUT_MS);

    by.cancel_fd = c->cancel_fd;
    if (connect_once(c, err) < 0)
        return NULL;
    return rpc_client_call(c->client, service, method, request, a, &by, err);
}

void *ctl_runtime(struct ctl *c, struct arena *a, const char *method, const void *request,
                  struct error *err)
{
    return call(c, a, &runtime__v1__runtime_service__descriptor, method, request, err);
}

void *ctl_image(struct ctl *c, const char *method, const void *request, struct error *err)
{
    return call(c, &c->arena, &runtime__v1__image_service__descriptor, method, request, err);
}

int ctl_node(struct ctl *c, const char *method, const void *request,
             int (*each)(void *data, const ProtobufCMessage *message, struct error *err),
             void *data, struct error *err)
{
    struct deadline by = {.cancel_fd = c->cancel_fd};

    if (connect_once(c, err) < 0)
        return -1;
    return rpc_client_stream(c->client, &berth__v1__node__descriptor, method, request, each, data,
                             &by, err);
}
