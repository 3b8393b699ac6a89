// SPDX-License-Identifier: Apache-2.0
#include "cri/runtime_calls.h"

#include <cri.pb-c.h>
#include <string.h>

#include "base/json.h"
#include "cri/outcome.h"
#include "net/cidrs.h"
#include "net/cni_template.h"
#include "pod/events.h"
#include "pod/node.h"
#include "stream/stream_server.h"

int runtime_calls_version(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                          ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__VersionResponse *r = (Runtime__V1__VersionResponse *)response;

    r->version = "0.1.0";
    r->runtime_name = "berth";
    r->runtime_version = BERTH_VERSION;
    r->runtime_api_version = "v1";
    return 0;
}

/* --- Status --- */

static Runtime__V1__RuntimeCondition *condition(struct arena *a, char *type,
                                                const struct error *why_not, char *reason)
{
    Runtime__V1__RuntimeCondition *c = arena_new(a, &runtime__v1__runtime_condition__descriptor);

    c->type = type;
    c->status = !why_not;
    if (why_not) {
        c->reason = reason;
        c->message = arena_strdup(a, why_not->text);
    }
    return c;
}

static Runtime__V1__RuntimeHandler *handler(struct node *n, struct arena *a, const char *name,
                                            const struct node_runtime *r)
{
    struct oci_features features = node_features(n, r);
    Runtime__V1__RuntimeHandler *h = arena_new(a, &runtime__v1__runtime_handler__descriptor);

    h->name = (char *)name;
    if (features.known) {
        h->features = arena_new(a, &runtime__v1__runtime_handler_features__descriptor);
        h->features->recursive_read_only_mounts = features.recursive_read_only;
        h->features->user_namespaces = node_has_user_namespaces(n, r);
    }
    return h;
}

/* Every handler by its name, sorted, and the default one also as "". */
static void add_handlers(struct node *n, struct arena *a, Runtime__V1__StatusResponse *out)
{
    out->runtime_handlers = arena_alloc(a, (n->n_runtimes + 1) * sizeof *out->runtime_handlers);
    out->runtime_handlers[out->n_runtime_handlers++] =
        handler(n, a, "", node_runtime_find(n, n->default_runtime));
    for (size_t i = 0; i < n->n_runtimes; i++)
        out->runtime_handlers[out->n_runtime_handlers++] =
            handler(n, a, n->runtimes[i].name, &n->runtimes[i]);
}

static void add_info(struct arena *a, Runtime__V1__StatusResponse *out, const char *key,
                     const char *value)
{
    Runtime__V1__StatusResponse__InfoEntry *entry =
        arena_new(a, &runtime__v1__status_response__info_entry__descriptor);

    entry->key = arena_strdup(a, key);
    entry->value = arena_strdup(a, value);
    out->info[out->n_info++] = entry;
}

static char *describe_config(struct node *n)
{
    JSON_AUTO *config = json_object_new_object();
    struct json_object *runtimes;

    json_add_str(config, "root", n->root);
    json_add_str(config, "state", n->state);
    json_add_str(config, "defaultRuntime", n->default_runtime);
    json_add_str(config, "cgroupDriver", n->systemd_cgroups ? "systemd" : "cgroupfs");
    runtimes = json_add_object(config, "runtimes");
    for (size_t i = 0; i < n->n_runtimes; i++)
        json_add_str(json_add_object(runtimes, n->runtimes[i].name), "path", n->runtimes[i].path);
    return xstrdup(json_text(config));
}

/* There a container sees the node's /sys, which it must not write to. */
static bool has_user_namespaces_on_host_network(struct node *n)
{
    const struct node_runtime *r = node_runtime_find(n, n->default_runtime);

    return node_has_user_namespaces(n, r) && node_features(n, r).recursive_read_only;
}

int runtime_calls_status(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                         ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__StatusResponse *out = (Runtime__V1__StatusResponse *)response;
    struct arena *a = rpc_call_arena(call);
    struct node *n = data;
    struct error runtime, network;
    bool runtime_ready = node_runtime_for(n, "", &runtime) != NULL;
    bool network_ready = cni_check(n->cni, &network) == 0;

    out->status = arena_new(a, &runtime__v1__runtime_status__descriptor);
    out->status->n_conditions = 2;
    out->status->conditions = arena_alloc(a, 2 * sizeof *out->status->conditions);
    out->status->conditions[0] =
        condition(a, "RuntimeReady", runtime_ready ? NULL : &runtime, "RuntimeUnusable");
    out->status->conditions[1] =
        condition(a, "NetworkReady", network_ready ? NULL : &network, "NetworkPluginNotReady");
    if (!network_ready)
        out->status->conditions[1]->message =
            arena_printf(a, "Network plugin returns error: %s", network.text);
    add_handlers(n, a, out);
    out->features = arena_new(a, &runtime__v1__runtime_features__descriptor);
    out->features->supplemental_groups_policy = true;
    out->features->user_namespaces_host_network = has_user_namespaces_on_host_network(n);
    if (((const Runtime__V1__StatusRequest *)request)->verbose) {
        AUTO_FREE char *config = describe_config(n), *networks = cni_describe(n->cni);
        AUTO_FREE char *streaming = stream_stats_describe(stream_server_stats(n->streams));

        out->info = arena_alloc(a, 4 * sizeof *out->info);
        add_info(a, out, "config", config);
        add_info(a, out, "cniconfig", networks);
        add_info(a, out, "lastCNILoadStatus", network_ready ? "OK" : network.text);
        add_info(a, out, "streaming", streaming);
    }
    return 0;
}

int runtime_calls_config(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                         ProtobufCMessage *response, struct error *err)
{
    Runtime__V1__RuntimeConfigResponse *out = (Runtime__V1__RuntimeConfigResponse *)response;
    struct node *n = data;

    out->linux =
        arena_new(rpc_call_arena(call), &runtime__v1__linux_runtime_configuration__descriptor);
    out->linux->cgroup_driver = n->systemd_cgroups ? RUNTIME__V1__CGROUP_DRIVER__SYSTEMD
                                                   : RUNTIME__V1__CGROUP_DRIVER__CGROUPFS;
    return 0;
}

/* --- UpdateRuntimeConfig --- */

/* Nobody else made a network, and there is a template: write one for this pod CIDR. */
static int make_network(struct node *n, const struct cidrs *cidrs, struct error *err)
{
    if (!*n->cni_conf_template || cni_is_loaded(n->cni))
        return 0;
    cni_reload(n->cni);
    if (cni_is_loaded(n->cni))
        return 0;
    if (cni_template_store(n->cni_conf_template, n->cni_conf_dir, cidrs, err) < 0)
        return error_wrap(err, "make a network configuration");
    cni_reload(n->cni);
    return 0;
}

int runtime_calls_update(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                         ProtobufCMessage *response, struct error *err)
{
    const Runtime__V1__RuntimeConfig *config =
        ((const Runtime__V1__UpdateRuntimeConfigRequest *)request)->runtime_config;
    const char *pod_cidr = config && config->network_config ? config->network_config->pod_cidr : "";
    AUTO_FINI(cidrs) cidrs = {0};

    if (!*pod_cidr)
        return 0;
    if (cidrs_parse(&cidrs, pod_cidr, err) < 0 || make_network(data, &cidrs, err) < 0)
        return outcome_of(-1, err);
    return 0;
}

/* --- GetContainerEvents --- */

static int send_events(struct rpc_call *call, struct events_subscriber *s, struct error *err)
{
    for (;;) {
        struct event *e = events_next(s, rpc_call_deadline(call), err);
        int outcome;

        if (!e)
            return -1;
        outcome = rpc_call_send(call, event_message(e), err);
        event_free(e);
        if (outcome < 0)
            return -1;
    }
}

int runtime_calls_events(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                         ProtobufCMessage *response, struct error *err)
{
    struct node *n = data;
    struct events_subscriber *s = events_subscribe(n->events);
    int outcome = send_events(call, s, err);

    events_unsubscribe(s);
    return outcome_of(outcome, err);
}
