// SPDX-License-Identifier: Apache-2.0
#include "net/cni.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "net/cache.h"
#include "net/conf.h"
#include "net/network.h"
#include "net/result.h"
#include "net/watch.h"

/* Plugins' STATUS is asked at most that often, and for at most that long: the kubelet wants to
 * know every few seconds. */
enum { CHECK_EVERY_MS = 5000, CHECK_LIMIT_MS = 4000, IFNAME_MAX = 32 };

static const char POD_IFNAME[] = "eth0";

struct cni {
    char *conf_dir;
    struct strv bin_dirs;
    unsigned max_conf_num;
    char *cache_dir;
    char *ip_pref;
    int watch_fd;

    pthread_mutex_t lock;    /* over the rest */
    struct conf *conf;       /* NULL: unusable, see why */
    struct error why;        /* it is unusable */
    struct error status;     /* what STATUS came to */
    int64_t status_asked_ns; /* 0: not asked yet */
};

void cni_result_fini(struct cni_result *r)
{
    strv_fini(&r->ips);
    free(r->record);
    *r = (struct cni_result){0};
}

struct cni *cni_new(const struct cni_options *options)
{
    struct cni *c = xcalloc(1, sizeof *c);

    c->conf_dir = xstrdup(options->conf_dir);
    strv_add_all(&c->bin_dirs, options->bin_dirs);
    c->max_conf_num = options->max_conf_num;
    c->cache_dir = xstrdup(options->cache_dir ? options->cache_dir : "/var/lib/cni");
    c->ip_pref = xstrdup(options->ip_pref ? options->ip_pref : "");
    pthread_mutex_init(&c->lock, NULL);
    /* First the watch, then the look: no change falls in between. */
    c->watch_fd = watch_open(c->conf_dir);
    cni_reload(c);
    return c;
}

void cni_free(struct cni *c)
{
    if (!c)
        return;
    fd_close(&c->watch_fd);
    conf_unref(c->conf);
    pthread_mutex_destroy(&c->lock);
    strv_fini(&c->bin_dirs);
    free(c->conf_dir);
    free(c->cache_dir);
    free(c->ip_pref);
    free(c);
}

void cni_reload(struct cni *c)
{
    struct error why = {0};
    struct conf *now = conf_load(c->conf_dir, c->max_conf_num, &why), *before;

    pthread_mutex_lock(&c->lock);
    before = c->conf;
    c->conf = now;
    c->why = why;
    c->status_asked_ns = 0;
    pthread_mutex_unlock(&c->lock);
    conf_unref(before);
}

bool cni_is_loaded(struct cni *c)
{
    bool loaded;

    pthread_mutex_lock(&c->lock);
    loaded = c->conf != NULL;
    pthread_mutex_unlock(&c->lock);
    return loaded;
}

int cni_watch_fd(struct cni *c)
{
    return c->watch_fd;
}

void cni_changed(struct cni *c)
{
    if (watch_take(c->watch_fd, c->conf_dir))
        cni_reload(c);
}

/* The configuration in use, for conf_unref(), or NULL. */
static struct conf *use(struct cni *c, struct error *err)
{
    struct conf *conf = NULL;

    pthread_mutex_lock(&c->lock);
    if (c->conf)
        conf = conf_ref(c->conf);
    else
        error_set(err, ERROR_UNKNOWN, "%s: cni plugin not initialized", c->why.text);
    pthread_mutex_unlock(&c->lock);
    return conf;
}

static int ask_status(struct cni *c, struct conf *conf, struct error *err)
{
    struct deadline by = deadline_in_ms(CHECK_LIMIT_MS);

    for (size_t i = 0; i < conf->n_networks; i++) {
        struct network_call call = {
            .network = &conf->networks[i], .bin_dirs = &c->bin_dirs, .by = &by};

        if (network_check(&call, err) < 0)
            return -1;
    }
    return 0;
}

/* True when an answer of some seconds ago still counts. */
static bool status_is_fresh(struct cni *c, int64_t now, struct error *out)
{
    bool fresh;

    pthread_mutex_lock(&c->lock);
    fresh = c->status_asked_ns && now - c->status_asked_ns < CHECK_EVERY_MS * CLOCK_NS_PER_MS;
    if (fresh)
        *out = c->status;
    pthread_mutex_unlock(&c->lock);
    return fresh;
}

int cni_check(struct cni *c, struct error *err)
{
    int64_t now = clock_monotonic_ns();
    struct error status = {0};
    struct conf *conf;

    if (!status_is_fresh(c, now, &status)) {
        conf = use(c, err);
        if (!conf)
            return -1;
        if (ask_status(c, conf, &status) < 0 && status.code == ERROR_OK)
            status.code = ERROR_UNKNOWN;
        pthread_mutex_lock(&c->lock);
        if (c->conf == conf) {
            c->status = status;
            c->status_asked_ns = now;
        }
        pthread_mutex_unlock(&c->lock);
        conf_unref(conf);
    }
    if (status.code == ERROR_OK)
        return 0;
    *err = status;
    return -1;
}

/* These end up in one k=v;k=v text. */
static int check_pod(const struct cni_pod *pod, struct error *err)
{
    const char *const values[] = {pod->namespace, pod->name, pod->uid, pod->id};

    for (size_t i = 0; i < COUNT_OF(values); i++)
        if (strchr(values[i], ';'))
            return error_set(err, ERROR_INVALID, "\"%s\" has a ';', which CNI_ARGS cannot hold",
                             values[i]);
    if (!*pod->id || strchr(pod->id, '/') || pod->id[0] == '.')
        return error_set(err, ERROR_INVALID, "invalid container id \"%s\"", pod->id);
    return 0;
}

static void record_network(struct json_object *networks, const struct conf_network *network,
                           const char *ifname, struct json_object *result)
{
    struct json_object *entry = json_add_object(networks, NULL);
    struct error never;

    json_add_str(entry, "ifName", ifname);
    json_add(entry, "config", json_parse(network->source, strlen(network->source), &never));
    json_add(entry, "result", json_object_get(result));
}

/* call has everything but the network and its interface. */
static int attach_all(const struct network_call *call, const struct conf *conf,
                      struct json_object *networks, struct strv *ips, struct error *err)
{
    for (size_t i = 0; i < conf->n_networks; i++) {
        struct network_call one = *call;
        char ifname[IFNAME_MAX];
        JSON_AUTO *result = NULL;

        snprintf(ifname, sizeof ifname, "eth%zu", i);
        one.network = &conf->networks[i];
        one.ifname = ifname;
        if (network_add(&one, &result, err) < 0)
            return -1;
        record_network(networks, one.network, ifname, result);
        if (result_add_ips(result, ifname, POD_IFNAME, ips, err) < 0)
            return error_wrap(err, "result of network \"%s\"", one.network->name);
    }
    return 0;
}

int cni_attach(struct cni *c, const struct cni_pod *pod, const struct deadline *by,
               struct cni_result *out, struct error *err)
{
    JSON_AUTO *record = json_object_new_object();
    struct json_object *networks = json_add_array(record, "networks");
    AUTO_FINI(strv) ips = {0};
    struct network_call call = {
        .pod = pod, .bin_dirs = &c->bin_dirs, .cache_dir = c->cache_dir, .by = by};
    struct conf *conf;
    int attached;

    if (check_pod(pod, err) < 0)
        return -1;
    conf = use(c, err);
    if (!conf)
        return -1;
    attached = attach_all(&call, conf, networks, &ips, err);
    conf_unref(conf);
    if (attached < 0)
        return -1;
    if (ips.len == 0)
        return error_set(err, ERROR_UNKNOWN, "failed to find network info for sandbox \"%s\"",
                         pod->id);
    result_prefer(&ips, c->ip_pref);
    *out = (struct cni_result){.ips = ips, .record = xstrdup(json_text(record))};
    ips = (struct strv){0};
    return 0;
}

/* Keeps the first of several failures, but rather one that is worse than a missing plugin. */
static void keep_first(struct error *first, const struct error *err)
{
    if (first->code == ERROR_OK || first->code == ERROR_UNIMPLEMENTED)
        *first = *err;
}

/* Detaches from one network; config is as it was when the pod was attached. */
static int detach_one(const struct network_call *call, struct json_object *config,
                      struct json_object *result, struct error *err)
{
    struct conf_network network = {0};
    struct network_call complete = *call;
    int removed;

    if (conf_network_init(&network, config, err) < 0)
        return -1;
    complete.network = &network;
    removed = network_remove(&complete, result, err);
    conf_network_fini(&network);
    return removed;
}

static void detach_recorded(const struct network_call *call, const char *record,
                            struct error *first)
{
    struct error err;
    JSON_AUTO *tree = json_parse(record, strlen(record), &err);
    struct json_object *networks = json_get(tree, "networks");

    if (!tree)
        keep_first(first, &err);
    for (size_t i = json_len(networks); i-- > 0;) {
        struct json_object *entry = json_at(networks, i);
        struct network_call one = *call;

        one.ifname = json_get_str(entry, "ifName");
        if (!one.ifname)
            one.ifname = POD_IFNAME;
        if (detach_one(&one, json_get(entry, "config"), json_get(entry, "result"), &err) < 0)
            keep_first(first, &err);
    }
}

/* Without a record the cache may know what was done before the attempt was cut off. */
static void detach_unrecorded(const struct network_call *call, const struct conf *conf,
                              struct error *first)
{
    struct error err;

    for (size_t i = conf->n_networks; i-- > 0;) {
        const struct conf_network *network = &conf->networks[i];
        struct network_call one = *call;
        char ifname[IFNAME_MAX];
        struct cache_key key = {.cache_dir = call->cache_dir,
                                .network = network->name,
                                .container_id = call->pod->id,
                                .ifname = ifname};
        JSON_AUTO *config = NULL, *result = NULL;

        snprintf(ifname, sizeof ifname, "eth%zu", i);
        one.ifname = ifname;
        cache_find(&key, &config, &result);
        if (!config)
            config = json_parse(network->source, strlen(network->source), &err);
        if (detach_one(&one, config, result, &err) < 0)
            keep_first(first, &err);
    }
}

int cni_detach(struct cni *c, const struct cni_pod *pod, const char *record,
               const struct deadline *by, struct error *err)
{
    struct cni_pod now = *pod;
    struct network_call call = {
        .pod = &now, .bin_dirs = &c->bin_dirs, .cache_dir = c->cache_dir, .by = by};
    struct error first = {0};
    struct conf *conf = NULL;

    if (check_pod(pod, err) < 0)
        return -1;
    if (*now.netns && !file_exists(now.netns))
        now.netns = "";
    if (record) {
        detach_recorded(&call, record, &first);
    } else {
        conf = use(c, err);
        if (!conf)
            return -1;
        detach_unrecorded(&call, conf, &first);
        conf_unref(conf);
    }
    if (first.code == ERROR_OK)
        return 0;
    *err = first;
    return -1;
}

static void describe_network(struct json_object *networks, const struct conf_network *network,
                             size_t i)
{
    struct json_object *entry = json_add_object(networks, NULL);
    struct json_object *config = json_add_object(entry, "Config");
    struct json_object *plugins = json_add_array(config, "Plugins");
    char ifname[IFNAME_MAX];

    snprintf(ifname, sizeof ifname, "eth%zu", i);
    json_add_str(config, "Name", network->name);
    json_add_str(config, "CNIVersion", network->version);
    for (size_t p = 0; p < network->n_plugins; p++) {
        struct json_object *plugin = json_add_object(plugins, NULL);

        json_add_str(json_add_object(plugin, "Network"), "type", network->plugins[p].type);
        json_add_str(plugin, "Source", network->plugins[p].text);
    }
    json_add_str(config, "Source", network->source);
    json_add_str(entry, "IFName", ifname);
}

char *cni_describe(struct cni *c)
{
    JSON_AUTO *tree = json_object_new_object();
    struct json_object *dirs = json_add_array(tree, "PluginDirs"), *networks;
    struct error none;
    struct conf *conf = use(c, &none);

    for (size_t i = 0; i < c->bin_dirs.len; i++)
        json_add_str(dirs, NULL, c->bin_dirs.items[i]);
    json_add_str(tree, "PluginConfDir", c->conf_dir);
    json_add_int(tree, "PluginMaxConfNum", c->max_conf_num);
    json_add_str(tree, "Prefix", "eth");
    networks = json_add_array(tree, "Networks");
    for (size_t i = 0; conf && i < conf->n_networks; i++)
        describe_network(networks, &conf->networks[i], i);
    conf_unref(conf);
    return xstrdup(json_text(tree));
}
