// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_status.h"

#include "base/json.h"
#include "base/proto_json.h"

static void drop(void *object)
{
    sandbox_free(object);
}

static Runtime__V1__PodSandboxState state_of(struct sandbox *s)
{
    return s->state == SANDBOX_READY ? RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_READY
                                     : RUNTIME__V1__POD_SANDBOX_STATE__SANDBOX_NOTREADY;
}

/* Under the lock. */
static void add_ips(struct sandbox *s, struct arena *a, Runtime__V1__PodSandboxNetworkStatus *out)
{
    if (s->network_closed || s->ips.len == 0)
        return;
    out->ip = arena_strdup(a, s->ips.items[0]);
    out->n_additional_ips = s->ips.len - 1;
    out->additional_ips = arena_alloc(a, s->ips.len * sizeof *out->additional_ips);
    for (size_t i = 1; i < s->ips.len; i++) {
        Runtime__V1__PodIP *ip = arena_new(a, &runtime__v1__pod_ip__descriptor);

        ip->ip = arena_strdup(a, s->ips.items[i]);
        out->additional_ips[i - 1] = ip;
    }
}

Runtime__V1__PodSandboxStatus *sandbox_status_message(struct sandbox *s, struct arena *a)
{
    Runtime__V1__PodSandboxStatus *m = arena_new(a, &runtime__v1__pod_sandbox_status__descriptor);

    arena_defer(a, drop, sandbox_ref(s));
    m->id = s->id;
    m->metadata = s->config->metadata;
    m->created_at = s->created_ns;
    m->network = arena_new(a, &runtime__v1__pod_sandbox_network_status__descriptor);
    m->linux = arena_new(a, &runtime__v1__linux_pod_sandbox_status__descriptor);
    m->linux->namespaces = arena_new(a, &runtime__v1__namespace__descriptor);
    m->linux->namespaces->options = sandbox_namespaces(s);
    m->n_labels = s->config->n_labels;
    m->labels = (Runtime__V1__PodSandboxStatus__LabelsEntry **)s->config->labels;
    m->n_annotations = s->config->n_annotations;
    m->annotations = (Runtime__V1__PodSandboxStatus__AnnotationsEntry **)s->config->annotations;
    m->runtime_handler = s->handler;
    pthread_mutex_lock(&s->node->lock);
    m->state = state_of(s);
    add_ips(s, a, m->network);
    pthread_mutex_unlock(&s->node->lock);
    return m;
}

Runtime__V1__PodSandbox *sandbox_status_item(struct sandbox *s, struct arena *a)
{
    Runtime__V1__PodSandbox *m = arena_new(a, &runtime__v1__pod_sandbox__descriptor);

    arena_defer(a, drop, sandbox_ref(s));
    m->id = s->id;
    m->metadata = s->config->metadata;
    m->created_at = s->created_ns;
    m->n_labels = s->config->n_labels;
    m->labels = (Runtime__V1__PodSandbox__LabelsEntry **)s->config->labels;
    m->n_annotations = s->config->n_annotations;
    m->annotations = (Runtime__V1__PodSandbox__AnnotationsEntry **)s->config->annotations;
    m->runtime_handler = s->handler;
    pthread_mutex_lock(&s->node->lock);
    m->state = state_of(s);
    pthread_mutex_unlock(&s->node->lock);
    return m;
}

static void add_resources(struct json_object *info, const char *key,
                          const Runtime__V1__LinuxContainerResources *r)
{
    struct json_object *object;

    if (!r)
        return;
    object = json_add_object(info, key);
    json_add_int(object, "cpuPeriod", r->cpu_period);
    json_add_int(object, "cpuQuota", r->cpu_quota);
    json_add_int(object, "cpuShares", r->cpu_shares);
    json_add_int(object, "memoryLimitInBytes", r->memory_limit_in_bytes);
}

char *sandbox_status_info(struct sandbox *s, struct arena *a)
{
    JSON_AUTO *info = json_object_new_object();
    struct error ignored;
    bool ready, closed;
    char *cni;
    pid_t pid;

    pthread_mutex_lock(&s->node->lock);
    ready = s->state == SANDBOX_READY;
    closed = s->network_closed;
    pid = s->shim_pid;
    cni = s->cni ? xstrdup(s->cni) : NULL;
    add_resources(info, "overhead", s->updated ? s->updated->overhead : NULL);
    add_resources(info, "resources", s->updated ? s->updated->resources : NULL);
    pthread_mutex_unlock(&s->node->lock);
    json_add_int(info, "pid", ready ? pid : 0);
    json_add_str(info, "processStatus", ready ? "running" : "deleted");
    json_add_flag(info, "netNamespaceClosed", closed);
    json_add_str(info, "runtimeHandler", s->handler);
    json_add_str(info, "runtimeType", "berth.shim.v2");
    json_add_str(info, "runtime", s->runtime ? s->runtime->path : "");
    json_add_str(info, "podDir", s->dir);
    json_add(info, "config", proto_json_terse(&s->config->base));
    if (cni) {
        struct json_object *result = json_parse(cni, strlen(cni), &ignored);

        if (result)
            json_add(info, "cniResult", result);
    }
    free(cni);
    return arena_strdup(a, json_text(info));
}
