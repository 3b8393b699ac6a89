// SPDX-License-Identifier: Apache-2.0
#include "cri/stats_calls.h"

#include <string.h>

#include "cri/labels.h"
#include "cri/outcome.h"
#include "pod/container.h"
#include "pod/sandbox.h"
#include "pod/stats.h"

enum { STREAM_BATCH = 5000 };

int stats_calls_container(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                          ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__ContainerStatsRequest *r =
        (const Runtime__V1__ContainerStatsRequest *)request;
    Runtime__V1__ContainerStatsResponse *out = (Runtime__V1__ContainerStatsResponse *)response;
    AUTO(container) *c = container_find(data, r->container_id, err);

    if (!c)
        return outcome_of(-1, err);
    out->stats = stats_of_container(c, rpc_call_arena(call));
    if (!stats_has_usage(out->stats))
        return error_set(err, ERROR_UNKNOWN, "container %s uses nothing: it is in %s state", c->id,
                         container_state_name(container_state(c)));
    return 0;
}

/* --- containers --- */

static bool container_is_wanted(struct container *c, const Runtime__V1__ContainerStatsFilter *f,
                                const char *id, const char *pod_id)
{
    if ((*id && strcmp(c->id, id) != 0) || (*pod_id && strcmp(c->sandbox->id, pod_id) != 0))
        return false;
    return !f || labels_match(c->config->labels, c->config->n_labels, f->label_selector,
                              f->n_label_selector);
}

/* The beginning of an id made whole; what leads nowhere matches nothing. */
static const char *whole_container_id(struct node *n, const char *id, struct arena *a)
{
    struct error ignored;
    AUTO(container) *c = *id ? container_find(n, id, &ignored) : NULL;

    return c ? arena_strdup(a, c->id) : id;
}

static const char *whole_pod_id(struct node *n, const char *id, struct arena *a)
{
    struct error ignored;
    AUTO(sandbox) *s = *id ? sandbox_find(n, id, &ignored) : NULL;

    return s ? arena_strdup(a, s->id) : id;
}

static Runtime__V1__ContainerStats **select_containers(struct node *n,
                                                       const Runtime__V1__ContainerStatsFilter *f,
                                                       struct arena *a, size_t *out_n)
{
    const char *id = whole_container_id(n, f ? f->id : "", a);
    const char *pod_id = whole_pod_id(n, f ? f->pod_sandbox_id : "", a);
    size_t count, kept = 0;
    AUTO_FREE struct container **list = container_list(n, NULL, &count);
    Runtime__V1__ContainerStats **items = arena_alloc(a, count * sizeof(*items));

    for (size_t i = 0; i < count; i++) {
        if (container_is_wanted(list[i], f, id, pod_id))
            items[kept++] = stats_of_container(list[i], a);
        container_free(list[i]);
    }
    *out_n = kept;
    return items;
}

int stats_calls_list_containers(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                                ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__ListContainerStatsResponse *r =
        (Runtime__V1__ListContainerStatsResponse *)response;

    r->stats =
        select_containers(data, ((const Runtime__V1__ListContainerStatsRequest *)request)->filter,
                          rpc_call_arena(call), &r->n_stats);
    return 0;
}

int stats_calls_stream_containers(struct rpc_call *call, void *data,
                                  const ProtobufCMessage *request, ProtobufCMessage *response,
                                  struct error *err)
{
    size_t n;
    Runtime__V1__ContainerStats **items =
        select_containers(data, ((const Runtime__V1__StreamContainerStatsRequest *)request)->filter,
                          rpc_call_arena(call), &n);

    for (size_t at = 0; at < n; at += STREAM_BATCH) {
        Runtime__V1__StreamContainerStatsResponse batch =
            RUNTIME__V1__STREAM_CONTAINER_STATS_RESPONSE__INIT;

        batch.container_stats = items + at;
        batch.n_container_stats = n - at < STREAM_BATCH ? n - at : STREAM_BATCH;
        if (rpc_call_send(call, &batch.base, err) < 0)
            return -1;
    }
    return 0;
}

/* --- pods --- */

int stats_calls_pod(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                    ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__PodSandboxStatsRequest *r =
        (const Runtime__V1__PodSandboxStatsRequest *)request;
    Runtime__V1__PodSandboxStatsResponse *out = (Runtime__V1__PodSandboxStatsResponse *)response;
    AUTO(sandbox) *s = sandbox_find(data, r->pod_sandbox_id, err);

    if (!s)
        return outcome_of(-1, err);
    out->stats = stats_of_sandbox(s, rpc_call_arena(call), err);
    return out->stats ? 0 : outcome_of(-1, err);
}

static bool pod_is_wanted(struct sandbox *s, const Runtime__V1__PodSandboxStatsFilter *f,
                          const char *id)
{
    if (*id && strcmp(s->id, id) != 0)
        return false;
    return !f || labels_match(s->config->labels, s->config->n_labels, f->label_selector,
                              f->n_label_selector);
}

/* Pods that are not ready, or stop being so meanwhile, are passed over. */
static Runtime__V1__PodSandboxStats **select_pods(struct node *n,
                                                  const Runtime__V1__PodSandboxStatsFilter *f,
                                                  struct arena *a, size_t *out_n)
{
    const char *id = whole_pod_id(n, f ? f->id : "", a);
    size_t count, kept = 0;
    AUTO_FREE struct sandbox **list = sandbox_list(n, &count);
    Runtime__V1__PodSandboxStats **items = arena_alloc(a, count * sizeof(*items));

    for (size_t i = 0; i < count; i++) {
        struct error not_ready;

        if (pod_is_wanted(list[i], f, id) &&
            (items[kept] = stats_of_sandbox(list[i], a, &not_ready)))
            kept++;
        sandbox_free(list[i]);
    }
    *out_n = kept;
    return items;
}

int stats_calls_list_pods(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                          ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__ListPodSandboxStatsResponse *r =
        (Runtime__V1__ListPodSandboxStatsResponse *)response;

    r->stats = select_pods(data, ((const Runtime__V1__ListPodSandboxStatsRequest *)request)->filter,
                           rpc_call_arena(call), &r->n_stats);
    return 0;
}

int stats_calls_stream_pods(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                            ProtobufCMessage *response, struct error *err)
{
    size_t n;
    Runtime__V1__PodSandboxStats **items =
        select_pods(data, ((const Runtime__V1__StreamPodSandboxStatsRequest *)request)->filter,
                    rpc_call_arena(call), &n);

    for (size_t at = 0; at < n; at += STREAM_BATCH) {
        Runtime__V1__StreamPodSandboxStatsResponse batch =
            RUNTIME__V1__STREAM_POD_SANDBOX_STATS_RESPONSE__INIT;

        batch.pod_sandbox_stats = items + at;
        batch.n_pod_sandbox_stats = n - at < STREAM_BATCH ? n - at : STREAM_BATCH;
        if (rpc_call_send(call, &batch.base, err) < 0)
            return -1;
    }
    return 0;
}
