// SPDX-License-Identifier: Apache-2.0
#include "pod/node.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/own.h"
#include "os/idmapped.h"

enum { FEATURES_MS = 5000 };

const struct node_runtime *node_runtime_find(const struct node *n, const char *name)
{
    for (size_t i = 0; i < n->n_runtimes; i++)
        if (strcmp(n->runtimes[i].name, name) == 0)
            return &n->runtimes[i];
    return NULL;
}

const struct node_runtime *node_runtime_recall(struct node *n, const char *name, const char *path)
{
    const struct node_runtime *configured = node_runtime_find(n, name);
    struct node_runtime *r = map_find(&n->retired, name);

    if (configured || r)
        return configured ? configured : r;
    r = xcalloc(1, sizeof *r);
    r->name = xstrdup(name);
    r->path = xstrdup(path);
    r->root = xasprintf("%s/runtimes/%s", n->state, name);
    r->retired = true;
    map_put(&n->retired, name, r);
    log_warn("runtime handler \"%s\" is not configured any more: its pods can be stopped and "
             "removed, and nothing new starts in them",
             name);
    return r;
}

/* crun gives up on a hybrid host whose v2 hierarchy has controllers. */
static bool refuses_cgroups(const struct node *n, const struct node_runtime *r)
{
    AUTO_FINI(buf) controllers = BUF(4096);
    const char *slash = strrchr(r->path, '/');
    struct error ignored;

    if (n->host.cgroup_mode != OCI_CGROUP_HYBRID ||
        strcmp(slash ? slash + 1 : r->path, "crun") != 0)
        return false;
    if (file_load(AT_FDCWD, "/sys/fs/cgroup/unified/cgroup.controllers", &controllers, &ignored) <
        0)
        return false;
    return controllers.len && strspn(controllers.data, " \n") < controllers.len;
}

const struct node_runtime *node_runtime_for(const struct node *n, const char *handler,
                                            struct error *err)
{
    const char *name = *handler ? handler : n->default_runtime;
    const struct node_runtime *r = node_runtime_find(n, name), *other;

    if (!r) {
        error_set(err, ERROR_UNKNOWN, "no runtime handler \"%s\" is configured", name);
        return NULL;
    }
    if (!refuses_cgroups(n, r))
        return r;
    other = *handler ? NULL : node_runtime_find(n, "runc");
    if (other && file_exists(other->path))
        return other;
    error_set(err, ERROR_UNKNOWN,
              "crun refuses this host's hybrid cgroups while controllers are in the v2 hierarchy: "
              "mount them as v1 (mkdir /sys/fs/cgroup/hugetlb; mount -t cgroup -o hugetlb cgroup "
              "/sys/fs/cgroup/hugetlb) or use runc");
    return NULL;
}

static void try_mapping(struct node *n)
{
    AUTO_FREE char *layers = xasprintf("%s/layers", n->root);
    struct error why;
    bool maps_ids =
        oci_host_kernel_is(&n->host, NODE_USERNS_KERNEL) && idmapped_probe(layers, &why) == 0;

    if (!maps_ids && oci_host_kernel_is(&n->host, NODE_USERNS_KERNEL))
        log_info("pods cannot have user namespaces: %s", why.text);
    pthread_mutex_lock(&n->lock);
    n->maps_ids = maps_ids;
    pthread_mutex_unlock(&n->lock);
}

static void ask(struct node *n, struct node_runtime *r)
{
    struct deadline by = deadline_in_ms(FEATURES_MS);
    struct oci_features features;
    struct error err;
    bool answered = oci_features_load(r->path, &by, &features, &err) == 0;

    if (!answered)
        log_warn("runtime %s: %s", r->name, err.text);
    pthread_mutex_lock(&n->lock);
    if (answered)
        r->features = features;
    r->was_asked = true;
    pthread_cond_broadcast(&n->asked);
    pthread_mutex_unlock(&n->lock);
}

void node_ask_features(struct node *n)
{
    for (size_t i = 0; i < n->n_runtimes; i++)
        ask(n, &n->runtimes[i]);
    try_mapping(n);
}

struct oci_features node_await_features(struct node *n, const struct node_runtime *r)
{
    struct oci_features features;

    pthread_mutex_lock(&n->lock);
    while (!r->was_asked && !r->retired)
        pthread_cond_wait(&n->asked, &n->lock);
    features = r->features;
    pthread_mutex_unlock(&n->lock);
    return features;
}

struct oci_features node_features(struct node *n, const struct node_runtime *r)
{
    struct oci_features features;

    pthread_mutex_lock(&n->lock);
    features = r->features;
    pthread_mutex_unlock(&n->lock);
    return features;
}

bool node_has_user_namespaces(struct node *n, const struct node_runtime *r)
{
    bool has;

    pthread_mutex_lock(&n->lock);
    has = n->maps_ids && r->features.user_namespaces;
    pthread_mutex_unlock(&n->lock);
    return has;
}

int node_reserve_name(struct node *n, const char *name, const char *id, struct error *err)
{
    const char *owner;

    pthread_mutex_lock(&n->lock);
    owner = map_find(&n->names, name);
    if (owner)
        error_set(err, ERROR_PRECONDITION, "name \"%s\" is reserved for %s", name, owner);
    else
        map_put(&n->names, name, xstrdup(id));
    pthread_mutex_unlock(&n->lock);
    return owner ? -1 : 0;
}

void node_release_name(struct node *n, const char *name)
{
    pthread_mutex_lock(&n->lock);
    free(map_remove(&n->names, name));
    pthread_mutex_unlock(&n->lock);
}

char *node_name_owner(struct node *n, const char *name)
{
    char *owner;

    pthread_mutex_lock(&n->lock);
    owner = map_find(&n->names, name);
    owner = owner ? xstrdup(owner) : NULL;
    pthread_mutex_unlock(&n->lock);
    return owner;
}

char *node_pod_dir(const struct node *n, const char *pod_id)
{
    return xasprintf("%s/pods/%s", n->state, pod_id);
}

void *node_lookup(const struct map *map, const char *id, const char *what, struct error *err)
{
    const struct map_slot *slot;
    void *found = map_find(map, id);
    size_t len = strlen(id), count = 0;

    if (found)
        return found;
    if (!len) {
        error_set(err, ERROR_UNKNOWN, "the %s id is empty", what);
        return NULL;
    }
    for (size_t at = 0; (slot = map_next(map, &at));) {
        if (strncmp(slot->key, id, len) == 0) {
            found = slot->value;
            count++;
        }
    }
    if (count == 1)
        return found;
    if (count == 0)
        error_set(err, ERROR_NOT_FOUND, "there is no %s %s", what, id);
    else
        error_set(err, ERROR_UNKNOWN, "%zu %ss have an id that begins with %s", count, what, id);
    return NULL;
}
