// SPDX-License-Identifier: Apache-2.0
#include "net/network.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "net/cache.h"
#include "net/plugin.h"

static const struct cni_pod NO_POD = {
    .id = "", .name = "", .namespace = "", .uid = "", .netns = ""};

static char *make_args(const struct cni_pod *pod)
{
    return xasprintf("IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;"
                     "K8S_POD_INFRA_CONTAINER_ID=%s;K8S_POD_UID=%s",
                     pod->namespace, pod->name, pod->id, pod->uid);
}

/* The capabilities that the plugin declares and the pod has an argument for. */
static void add_runtime_config(struct json_object *config, struct json_object *arguments)
{
    struct json_object *declared = json_get(config, "capabilities");
    JSON_AUTO *chosen = json_object_new_object();

    if (!json_object_is_type(arguments, json_type_object))
        return;
    json_object_object_foreach(arguments, name, argument)
    {
        if (json_get_flag(declared, name, false))
            json_add(chosen, name, json_object_get(argument));
    }
    if (json_object_object_length(chosen) > 0)
        json_add(config, "runtimeConfig", TAKE(chosen));
}

/* What a plugin gets on its standard input. previous may be NULL. */
static struct json_object *make_config(const struct network_call *call, const char *text,
                                       struct json_object *previous, struct error *err)
{
    struct json_object *config = json_parse(text, strlen(text), err);

    if (!config)
        return NULL;
    json_add_str(config, "name", call->network->name);
    json_add_str(config, "cniVersion", call->network->version);
    if (previous)
        json_add(config, "prevResult", json_object_get(previous));
    add_runtime_config(config, call->pod->capabilities);
    return config;
}

/* Runs plugin i. */
static int run(const struct network_call *call, size_t i, const char *command,
               struct json_object *previous, struct json_object **out_answer, struct error *err)
{
    const struct conf_plugin *plugin = &call->network->plugins[i];
    AUTO_FREE char *args = *call->pod->id ? make_args(call->pod) : xstrdup("");
    const struct plugin_call run = {.command = command,
                                    .type = plugin->type,
                                    .bin_dirs = call->bin_dirs,
                                    .container_id = call->pod->id,
                                    .netns = call->pod->netns,
                                    .ifname = call->ifname,
                                    .args = args};
    JSON_AUTO *config = make_config(call, plugin->text, previous, err);

    return config ? plugin_run(&run, config, call->by, out_answer, err) : -1;
}

/* Events of the kubelet show this, so it says the plugin, the network and the verb. */
static int wrap(const struct network_call *call, size_t i, const char *verb, struct error *err)
{
    /* Of one that shall do something this says no more than any other failure. */
    if (err->code == ERROR_UNIMPLEMENTED && strcmp(verb, "delete") != 0)
        err->code = ERROR_UNKNOWN;
    return error_wrap(err, "plugin type=\"%s\" name=\"%s\" failed (%s)",
                      call->network->plugins[i].type, call->network->name, verb);
}

static struct cache_key key_of(const struct network_call *call)
{
    return (struct cache_key){.cache_dir = call->cache_dir,
                              .network = call->network->name,
                              .container_id = call->pod->id,
                              .ifname = call->ifname};
}

int network_add(const struct network_call *call, struct json_object **out_result, struct error *err)
{
    AUTO_FREE char *args = make_args(call->pod);
    struct cache_key key = key_of(call);
    struct cache_entry entry = {.config = call->network->source,
                                .netns = call->pod->netns,
                                .args = args,
                                .capabilities = call->pod->capabilities};
    JSON_AUTO *result = NULL;

    for (size_t i = 0; i < call->network->n_plugins; i++) {
        struct json_object *answer = NULL;

        if (run(call, i, "ADD", result, &answer, err) < 0)
            return wrap(call, i, "add", err);
        /* Without a version it is of the version that was asked in. */
        if (!json_get_str(answer, "cniVersion") || !*json_get_str(answer, "cniVersion"))
            json_add_str(answer, "cniVersion", call->network->version);
        json_object_put(result);
        result = answer;
    }
    entry.result = result;
    if (cache_store(&key, &entry, err) < 0)
        return -1;
    *out_result = TAKE(result);
    return 0;
}

int network_remove(const struct network_call *call, struct json_object *result, struct error *err)
{
    bool knows_results = conf_network_speaks(call->network, 0, 4);
    struct cache_key key = key_of(call);
    struct error first = {0};

    for (size_t i = call->network->n_plugins; i-- > 0;) {
        if (run(call, i, "DEL", knows_results ? result : NULL, NULL, err) == 0 ||
            err->code == ERROR_NOT_FOUND)
            continue;
        wrap(call, i, "delete", err);
        if (first.code == ERROR_OK || first.code == ERROR_UNIMPLEMENTED)
            first = *err;
    }
    if (first.code != ERROR_OK) {
        *err = first;
        return -1;
    }
    cache_remove(&key);
    return 0;
}

int network_check(const struct network_call *call, struct error *err)
{
    struct network_call without_pod = *call;

    without_pod.pod = &NO_POD;
    without_pod.ifname = "";
    if (!conf_network_speaks(call->network, 1, 1))
        return 0;
    for (size_t i = 0; i < call->network->n_plugins; i++)
        if (run(&without_pod, i, "STATUS", NULL, NULL, err) < 0)
            return wrap(call, i, "status", err);
    return 0;
}
