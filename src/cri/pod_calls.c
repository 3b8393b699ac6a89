// SPDX-License-Identifier: Apache-2.0
#include "cri/pod_calls.h"

#include <string.h>

#include "cri/labels.h"
#include "cri/outcome.h"
#include "pod/sandbox.h"
#include "pod/sandbox_status.h"

enum { STREAM_BATCH = 5000 };

int pod_calls_run(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                  ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__RunPodSandboxResponse *r = (Runtime__V1__RunPodSandboxResponse *)response;
    AUTO_FREE char *id = NULL;

    if (sandbox_run(data, (const Runtime__V1__RunPodSandboxRequest *)request,
                    rpc_call_deadline(call), &id, err) < 0)
        return outcome_of(-1, err);
    r->pod_sandbox_id = arena_strdup(rpc_call_arena(call), id);
    return 0;
}

/* Stopping and removing what is not there is done. */
static int pass_over_missing(int result, struct error *err)
{
    return result < 0 && err->code == ERROR_NOT_FOUND && !err->errnum ? 0 : outcome_of(result, err);
}

int pod_calls_stop(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                   ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__StopPodSandboxRequest *r =
        (const Runtime__V1__StopPodSandboxRequest *)request;
    AUTO(sandbox) *s = sandbox_find(data, r->pod_sandbox_id, err);

    if (!s)
        return pass_over_missing(-1, err);
    return outcome_of(sandbox_stop(s, rpc_call_deadline(call), err), err);
}

int pod_calls_remove(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                     ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__RemovePodSandboxRequest *r =
        (const Runtime__V1__RemovePodSandboxRequest *)request;
    AUTO(sandbox) *s = sandbox_find(data, r->pod_sandbox_id, err);

    if (!s)
        return pass_over_missing(-1, err);
    return outcome_of(sandbox_remove(s, rpc_call_deadline(call), err), err);
}

int pod_calls_status(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                     ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__PodSandboxStatusRequest *r =
        (const Runtime__V1__PodSandboxStatusRequest *)request;
    Runtime__V1__PodSandboxStatusResponse *out = (Runtime__V1__PodSandboxStatusResponse *)response;
    AUTO(sandbox) *s = sandbox_find(data, r->pod_sandbox_id, err);
    struct arena *a = rpc_call_arena(call);

    if (!s)
        return outcome_of(-1, err);
    out->status = sandbox_status_message(s, a);
    if (r->verbose) {
        out->n_info = 1;
        out->info = arena_alloc(a, sizeof *out->info);
        out->info[0] =
            arena_new(a, &runtime__v1__pod_sandbox_status_response__info_entry__descriptor);
        out->info[0]->key = arena_strdup(a, "info");
        out->info[0]->value = sandbox_status_info(s, a);
    }
    return 0;
}

static bool is_wanted(struct sandbox *s, const Runtime__V1__PodSandboxFilter *f, const char *id)
{
    if (!f)
        return true;
    if (*id && strcmp(s->id, id) != 0)
        return false;
    if (!labels_match(s->config->labels, s->config->n_labels, f->label_selector,
                      f->n_label_selector))
        return false;
    if (!f->state)
        return true;
    return f->state->state == (sandbox_state(s) == SANDBOX_READY
                                   ? RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY
                                   : RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_NOTREADY);
}

/* A filter's id may be the beginning of one; what leads nowhere matches nothing. */
static const char *whole_id(struct node *n, const char *id, struct arena *a)
{
    struct error ignored;
    AUTO(sandbox) *s = *id ? sandbox_find(n, id, &ignored) : NULL;

    return s ? arena_strdup(a, s->id) : id;
}

static Runtime__V1__PodSandbox **select_pods(struct node *n, const Runtime__V1__PodSandboxFilter *f,
                                             struct arena *a, size_t *out_n)
{
    const char *id = whole_id(n, f ? f->id : "", a);
    size_t count, kept = 0;
    AUTO_FREE struct sandbox **list = sandbox_list(n, &count);
    Runtime__V1__PodSandbox **items = arena_alloc(a, count * sizeof *items);

    for (size_t i = 0; i < count; i++) {
        if (is_wanted(list[i], f, id))
            items[kept++] = sandbox_status_item(list[i], a);
        sandbox_free(list[i]);
    }
    *out_n = kept;
    return items;
}

int pod_calls_list(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                   ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__ListPodSandboxResponse *r = (Runtime__V1__ListPodSandboxResponse *)response;

    r->items = select_pods(data, ((const Runtime__V1__ListPodSandboxRequest *)request)->filter,
                           rpc_call_arena(call), &r->n_items);
    return 0;
}

int pod_calls_stream(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                     ProtobufCMessage *response, struct error *err)
{
    size_t n;
    Runtime__V1__PodSandbox **items =
        select_pods(data, ((const Runtime__V1__StreamPodSandboxesRequest *)request)->filter,
                    rpc_call_arena(call), &n);

    for (size_t at = 0; at < n; at += STREAM_BATCH) {
        Runtime__V1__StreamPodSandboxesResponse batch =
            RUNTIME__V1__STREAM_POD_SANDBOXES_RESPONSE__INIT;

        batch.pod_sandboxes = items + at;
        batch.n_pod_sandboxes = n - at < STREAM_BATCH ? n - at : STREAM_BATCH;
        if (rpc_call_send(call, &batch.base, err) < 0)
            return -1;
    }
    return 0;
}

/* Kept for the verbose status and for plugins; the pod's cgroup is the kubelet's to change. */
int pod_calls_update(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                     ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__UpdatePodSandboxResourcesRequest *r =
        (const Runtime__V1__UpdatePodSandboxResourcesRequest *)request;
    AUTO(sandbox) *s = sandbox_find(data, r->pod_sandbox_id, err);

    if (!s)
        return outcome_of(-1, err);
    return outcome_of(sandbox_update(s, r->overhead, r->resources, err), err);
}
