// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_network.h"

#include "base/json.h"
#include "base/log.h"
#include "net/ports.h"
#include "os/mount.h"
#include "pod/left_network.h"

enum { DETACH_MS = 60 * 1000 };

static void describe(const struct sandbox *s, const char *netns, struct json_object *capabilities,
                     struct cni_pod *out)
{
    const Runtime__V1__PodSandboxMetadata *m = s->config->metadata;

    *out = (struct cni_pod){.id = s->id,
                            .name = m->name,
                            .namespace = m->namespace_,
                            .uid = m->uid,
                            .netns = netns,
                            .capabilities = capabilities};
}

int sandbox_network_attach(struct sandbox *s, const struct deadline *by, struct error *err)
{
    AUTO_FREE char *netns = xasprintf("%s/ns/net", s->dir);
    AUTO_FINI(cni_result) result = {0};
    JSON_AUTO *capabilities = NULL;
    struct cni_pod pod;

    if (sandbox_on_host_network(s))
        return 0;
    if (ports_capabilities(s->config, &capabilities, err) < 0)
        return -1;
    describe(s, netns, capabilities, &pod);
    pthread_mutex_lock(&s->node->lock);
    s->network_closed = false; /* from here on there may be something to detach */
    pthread_mutex_unlock(&s->node->lock);
    if (cni_attach(s->node->cni, &pod, by, &result, err) < 0)
        return error_wrap(err, "set up the network of pod %s", s->id);
    pthread_mutex_lock(&s->node->lock);
    s->ips = result.ips;
    s->cni = TAKE(result.record);
    pthread_mutex_unlock(&s->node->lock);
    result.ips = (struct strv){0};
    return 0;
}

static void close_network(struct sandbox *s)
{
    struct strv ips;
    char *cni;

    pthread_mutex_lock(&s->node->lock);
    s->network_closed = true;
    ips = s->ips;
    cni = TAKE(s->cni);
    s->ips = (struct strv){0};
    pthread_mutex_unlock(&s->node->lock);
    strv_fini(&ips);
    free(cni);
}

int sandbox_network_take_down(struct sandbox *s, const char *record, struct error *err)
{
    AUTO_FREE char *netns = xasprintf("%s/ns/net", s->dir);
    struct deadline by = deadline_in_ms(DETACH_MS);
    JSON_AUTO *capabilities = NULL;
    struct cni_pod pod;
    struct error ignored;

    if (ports_capabilities(s->config, &capabilities, &ignored) < 0)
        capabilities = NULL; /* they were wrong when it was attached, so it was not */
    describe(s, mount_is_namespace(netns) ? netns : "", capabilities, &pod);
    return cni_detach(s->node->cni, &pod, record, &by, err);
}

/* True when the pod may end although its network was not taken down. */
static bool can_be_left(struct sandbox *s, const char *record, struct error *err)
{
    if (!record) {
        log_warn("pod %s: its network was never complete, and taking it down says: %s", s->name,
                 err->text);
        return true;
    }
    if (err->code != ERROR_UNIMPLEMENTED)
        return false;
    log_warn("pod %s: its network cannot be taken down before a plugin is there: %s", s->name,
             err->text);
    return left_network_store(s, record, err) == 0;
}

int sandbox_network_detach(struct sandbox *s, struct error *err)
{
    AUTO_FREE char *record = NULL;
    bool closed;

    pthread_mutex_lock(&s->node->lock);
    closed = s->network_closed;
    record = s->cni ? xstrdup(s->cni) : NULL;
    pthread_mutex_unlock(&s->node->lock);
    if (closed)
        return 0;
    if (sandbox_network_take_down(s, record, err) < 0 && !can_be_left(s, record, err))
        return error_wrap(err, "take down the network of pod %s", s->id);
    close_network(s);
    return 0;
}
