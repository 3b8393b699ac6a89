// SPDX-License-Identifier: Apache-2.0
#include "cri/container_calls.h"

#include <string.h>

#include "cri/labels.h"
#include "cri/outcome.h"
#include "pod/container.h"
#include "pod/container_exec.h"
#include "pod/container_status.h"
#include "pod/shim.h"

enum { STREAM_BATCH = 5000, REOPEN_MS = 30 * 1000 };

int container_calls_create(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                           ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__CreateContainerResponse *r = (Runtime__V1__CreateContainerResponse *)response;
    AUTO_FREE char *id = NULL;

    if (container_create(data, (const Runtime__V1__CreateContainerRequest *)request,
                         rpc_call_deadline(call), &id, err) < 0)
        return outcome_of(-1, err);
    r->container_id = arena_strdup(rpc_call_arena(call), id);
    return 0;
}

int container_calls_start(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                          ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__StartContainerRequest *r =
        (const Runtime__V1__StartContainerRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);

    if (!c)
        return outcome_of(-1, err);
    return outcome_of(container_start(c, err), err);
}

/* Stopping and removing what is not there is done. */
static int pass_over_missing(struct error *err)
{
    return err->code == ERROR_NOT_FOUND && !err->errnum ? 0 : outcome_of(-1, err);
}

int container_calls_stop(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                         ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__StopContainerRequest *r = (const Runtime__V1__StopContainerRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);

    if (!c)
        return pass_over_missing(err);
    return outcome_of(container_stop(c, r->timeout, rpc_call_deadline(call), err), err);
}

int container_calls_remove(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                           ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__RemoveContainerRequest *r =
        (const Runtime__V1__RemoveContainerRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);

    if (!c)
        return pass_over_missing(err);
    return outcome_of(container_remove(c, rpc_call_deadline(call), err), err);
}

int container_calls_status(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                           ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__ContainerStatusRequest *r =
        (const Runtime__V1__ContainerStatusRequest *)request;
    Runtime__V1__ContainerStatusResponse *out = (Runtime__V1__ContainerStatusResponse *)response;
    AUTO(container) *c = container_find(data, r->container_id, err);
    struct arena *a = rpc_call_arena(call);

    if (!c)
        return outcome_of(-1, err);
    out->status = container_status_message(c, a);
    if (r->verbose) {
        out->n_info = 1;
        out->info = arena_alloc(a, sizeof *out->info);
        out->info[0] =
            arena_new(a, &runtime__v1__container_status_response__info_entry__descriptor);
        out->info[0]->key = arena_strdup(a, "info");
        out->info[0]->value = container_status_info(c, a);
    }
    return 0;
}

/* The ids of a filter, made whole. */
struct wanted {
    const Runtime__V1__ContainerFilter *filter; /* or NULL */
    const char *id;
    const char *pod_id;
};

static struct wanted resolve(struct node *n, const Runtime__V1__ContainerFilter *f, struct arena *a)
{
    struct wanted w = {f, f ? f->id : "", f ? f->pod_sandbox_id : ""};
    struct error ignored;
    AUTO(container) *c = *w.id ? container_find(n, w.id, &ignored) : NULL;
    AUTO(sandbox) *s = *w.pod_id ? sandbox_find(n, w.pod_id, &ignored) : NULL;

    if (c)
        w.id = arena_strdup(a, c->id);
    if (s)
        w.pod_id = arena_strdup(a, s->id);
    return w;
}

static bool is_wanted(struct container *c, const struct wanted *w)
{
    const Runtime__V1__ContainerFilter *f = w->filter;

    if (!f)
        return true;
    if ((*w->id && strcmp(c->id, w->id) != 0) ||
        (*w->pod_id && strcmp(c->sandbox->id, w->pod_id) != 0))
        return false;
    if (!labels_match(c->config->labels, c->config->n_labels, f->label_selector,
                      f->n_label_selector))
        return false;
    return !f->state || (int)container_state(c) == (int)f->state->state;
}

static Runtime__V1__Container **select_containers(struct node *n,
                                                  const Runtime__V1__ContainerFilter *f,
                                                  struct arena *a, size_t *out_n)
{
    struct wanted w = resolve(n, f, a);
    size_t count, kept = 0;
    AUTO_FREE struct container **list = container_list(n, NULL, &count);
    Runtime__V1__Container **items = arena_alloc(a, count * sizeof *items);

    for (size_t i = 0; i < count; i++) {
        if (is_wanted(list[i], &w))
            items[kept++] = container_status_item(list[i], a);
        container_free(list[i]);
    }
    *out_n = kept;
    return items;
}

int container_calls_list(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                         ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__ListContainersResponse *r = (Runtime__V1__ListContainersResponse *)response;

    r->containers =
        select_containers(data, ((const Runtime__V1__ListContainersRequest *)request)->filter,
                          rpc_call_arena(call), &r->n_containers);
    return 0;
}

int container_calls_stream(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                           ProtobufCMessage *response, struct error *err)
{
    size_t n;
    Runtime__V1__Container **items =
        select_containers(data, ((const Runtime__V1__StreamContainersRequest *)request)->filter,
                          rpc_call_arena(call), &n);

    for (size_t at = 0; at < n; at += STREAM_BATCH) {
        Runtime__V1__StreamContainersResponse batch = RUNTIME__V1__STREAM_CONTAINERS_RESPONSE__INIT;

        batch.containers = items + at;
        batch.n_containers = n - at < STREAM_BATCH ? n - at : STREAM_BATCH;
        if (rpc_call_send(call, &batch.base, err) < 0)
            return -1;
    }
    return 0;
}

static void drop_result(void *object)
{
    container_exec_result_fini(object);
}

int container_calls_exec_sync(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                              ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__ExecSyncRequest *r = (const Runtime__V1__ExecSyncRequest *)request;
    Runtime__V1__ExecSyncResponse *out = (Runtime__V1__ExecSyncResponse *)response;
    AUTO(container) *c = container_find(data, r->container_id, err);
    struct arena *a = rpc_call_arena(call);
    struct container_exec_result *result = arena_alloc(a, sizeof *result);

    if (!c)
        return outcome_of(-1, err);
    container_exec_result_init(result);
    arena_defer(a, drop_result, result);
    if (container_exec_sync(c, r->cmd, r->n_cmd, r->timeout, rpc_call_deadline(call), result, err) <
        0)
        return outcome_of(-1, err);
    out->stdout.data = (uint8_t *)result->out.data;
    out->stdout.len = result->out.len;
    out->stderr.data = (uint8_t *)result->err.data;
    out->stderr.len = result->err.len;
    out->exit_code = result->exit_code;
    return 0;
}

int container_calls_reopen_log(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                               ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__ReopenContainerLogRequest *r =
        (const Runtime__V1__ReopenContainerLogRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);
    struct deadline by = deadline_sooner(rpc_call_deadline(call), REOPEN_MS);

    if (!c || container_check_running(c, err) < 0)
        return outcome_of(-1, err);
    if (!*c->log_path)
        return 0;
    return outcome_of(shim_reopen_log(c, &by, err), err);
}

int container_calls_update(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                           ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__UpdateContainerResourcesRequest *r =
        (const Runtime__V1__UpdateContainerResourcesRequest *)request;
    AUTO(container) *c = container_find(data, r->container_id, err);

    if (!c)
        return outcome_of(-1, err);
    return outcome_of(container_update(c, r->linux, err), err);
}
