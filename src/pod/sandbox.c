// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox.h"

#include <poll.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/message.h"
#include "oci/userns.h"
#include "pod/sandbox_record.h"

struct sandbox *sandbox_new(struct node *n, const char *id, const char *name,
                            Runtime__V1__PodSandboxConfig *taken_config)
{
    struct sandbox *s = xcalloc(1, sizeof *s);
    struct error unexpected;

    s->refs = 1;
    s->node = n;
    snprintf(s->id, sizeof s->id, "%s", id);
    s->name = xstrdup(name);
    s->config = taken_config;
    s->handler = xstrdup("");
    s->dir = node_pod_dir(n, id);
    /* A new one was refused for it. */
    if (sandbox_ids(taken_config, &s->ids, &unexpected) < 0)
        log_error("pod %s: %s", name, unexpected.text);
    s->shim_pidfd = -1;
    pthread_mutex_init(&s->mounting, NULL);
    return s;
}

struct sandbox *sandbox_ref(struct sandbox *s)
{
    s->refs++;
    return s;
}

void sandbox_free(struct sandbox *s)
{
    if (!s || --s->refs > 0)
        return;
    message_free(&s->config->base);
    if (s->updated)
        message_free(&s->updated->base);
    strv_fini(&s->ips);
    fd_close(&s->shim_pidfd);
    pthread_mutex_destroy(&s->mounting);
    free(s->name);
    free(s->handler);
    free(s->dir);
    free(s->cni);
    free(s);
}

struct sandbox *sandbox_find(struct node *n, const char *id, struct error *err)
{
    struct sandbox *s;

    pthread_mutex_lock(&n->lock);
    s = node_lookup(&n->sandboxes, id, "pod", err);
    if (s)
        sandbox_ref(s);
    pthread_mutex_unlock(&n->lock);
    return s;
}

struct sandbox **sandbox_list(struct node *n, size_t *out_count)
{
    const struct map_slot *slot;
    struct sandbox **list;
    size_t count = 0;

    pthread_mutex_lock(&n->lock);
    list = xcalloc(n->sandboxes.len + 1, sizeof(struct sandbox *));
    for (size_t at = 0; (slot = map_next(&n->sandboxes, &at));)
        list[count++] = sandbox_ref(slot->value);
    pthread_mutex_unlock(&n->lock);
    *out_count = count;
    return list;
}

enum sandbox_state sandbox_state(struct sandbox *s)
{
    enum sandbox_state state;

    pthread_mutex_lock(&s->node->lock);
    state = s->state;
    pthread_mutex_unlock(&s->node->lock);
    return state;
}

int sandbox_check_usable(struct sandbox *s, struct error *err)
{
    if (sandbox_state(s) != SANDBOX_READY)
        return error_set(err, ERROR_UNKNOWN, "pod %s is not ready", s->id);
    if (s->runtime->retired)
        return error_set(err, ERROR_UNKNOWN,
                         "pod %s has runtime handler \"%s\", which is not configured any more",
                         s->id, s->runtime->name);
    return 0;
}

bool sandbox_has_shim(const struct sandbox *s)
{
    struct pollfd ended = {.fd = s->shim_pidfd, .events = POLLIN};

    return s->shim_pidfd >= 0 && !s->shim_lost && poll(&ended, 1, 0) == 0;
}

int sandbox_update(struct sandbox *s, Runtime__V1__LinuxContainerResources *overhead,
                   Runtime__V1__LinuxContainerResources *resources, struct error *err)
{
    Runtime__V1__UpdatePodSandboxResourcesRequest next =
        RUNTIME__V1__UPDATE_POD_SANDBOX_RESOURCES_REQUEST__INIT;
    Runtime__V1__UpdatePodSandboxResourcesRequest *copy, *old;

    next.overhead = overhead;
    next.resources = resources;
    if (sandbox_record_set_updated(s, &next, err) < 0)
        return -1;
    copy = (Runtime__V1__UpdatePodSandboxResourcesRequest *)message_copy(&next.base);
    pthread_mutex_lock(&s->node->lock);
    old = s->updated;
    s->updated = copy;
    pthread_mutex_unlock(&s->node->lock);
    if (old)
        message_free(&old->base);
    return 0;
}

static Runtime__V1__NamespaceOption *namespaces_of(const Runtime__V1__PodSandboxConfig *config)
{
    if (!config->linux || !config->linux->security_context)
        return NULL;
    return config->linux->security_context->namespace_options;
}

int sandbox_ids(const Runtime__V1__PodSandboxConfig *config, struct idmap *out, struct error *err)
{
    const Runtime__V1__NamespaceOption *o = namespaces_of(config);
    struct idmap ids = {0};

    if (o && oci_userns_parse(o->userns_options, &ids, err) < 0)
        return -1;
    if (o && idmap_is_set(&ids) && o->pid == RUNTIME__V1__NAMESPACE_MODE__NODE)
        return error_set(err, ERROR_INVALID,
                         "namespace_options.pid: NODE cannot be with a user namespace, which has "
                         "no right to the node's processes");
    if (o && idmap_is_set(&ids) && o->ipc == RUNTIME__V1__NAMESPACE_MODE__NODE)
        return error_set(err, ERROR_INVALID,
                         "namespace_options.ipc: NODE cannot be with a user namespace, which has "
                         "no right to the node's message queues");
    *out = ids;
    return 0;
}

Runtime__V1__NamespaceOption *sandbox_namespaces(const struct sandbox *s)
{
    return namespaces_of(s->config);
}

bool sandbox_on_host_network(const struct sandbox *s)
{
    const Runtime__V1__NamespaceOption *o = sandbox_namespaces(s);

    return o && o->network == RUNTIME__V1__NAMESPACE_MODE__NODE;
}

bool sandbox_on_host_ipc(const struct sandbox *s)
{
    const Runtime__V1__NamespaceOption *o = sandbox_namespaces(s);

    return o && o->ipc == RUNTIME__V1__NAMESPACE_MODE__NODE;
}

bool sandbox_shares_pids(const struct sandbox *s)
{
    const Runtime__V1__NamespaceOption *o = sandbox_namespaces(s);

    return !o || o->pid == RUNTIME__V1__NAMESPACE_MODE__POD;
}
