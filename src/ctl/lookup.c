// SPDX-License-Identifier: Apache-2.0
#include "ctl/lookup.h"

#include <string.h>

enum { PREFIX_MIN = 2 };

/* How well text names something: ids before names. */
enum match { MATCH_NONE, MATCH_NAME, MATCH_PREFIX, MATCH_ID };

struct best {
    enum match match;
    size_t count;
    size_t at;
};

static enum match match_of(const char *text, const char *id, const char *name)
{
    if (strcmp(text, id) == 0)
        return MATCH_ID;
    if (strlen(text) >= PREFIX_MIN && strncmp(text, id, strlen(text)) == 0)
        return MATCH_PREFIX;
    return name && strcmp(text, name) == 0 ? MATCH_NAME : MATCH_NONE;
}

static void consider(struct best *best, enum match match, size_t at)
{
    if (match == MATCH_NONE || match < best->match)
        return;
    best->count = match == best->match ? best->count + 1 : 1;
    best->match = match;
    best->at = at;
}

static int judge(const struct best *best, const char *kind, const char *command, const char *text,
                 struct error *err)
{
    if (!best->count)
        return error_set(err, ERROR_NOT_FOUND, "no %s has the id or name \"%s\": see berthctl %s",
                         kind, text, command);
    if (best->count > 1 && best->match == MATCH_PREFIX)
        return error_set(err, ERROR_INVALID,
                         "%zu %ss have an id that begins with \"%s\": give more"
                         " of it",
                         best->count, kind, text);
    if (best->count > 1)
        return error_set(err, ERROR_INVALID, "%zu %ss are called \"%s\": give the id", best->count,
                         kind, text);
    return 0;
}

static const Runtime__V1__ListContainersResponse *
find_container(struct ctl *c, const char *text, struct best *best, struct error *err)
{
    Runtime__V1__ListContainersRequest request = RUNTIME__V1__LIST_CONTAINERS_REQUEST__INIT;
    const Runtime__V1__ListContainersResponse *all =
        ctl_runtime(c, &c->arena, "ListContainers", &request, err);

    for (size_t i = 0; all && i < all->n_containers; i++) {
        const Runtime__V1__Container *each = all->containers[i];

        consider(best, match_of(text, each->id, each->metadata ? each->metadata->name : NULL), i);
    }
    return all;
}

static const Runtime__V1__ListPodSandboxResponse *find_pod(struct ctl *c, const char *text,
                                                           struct best *best, struct error *err)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__ListPodSandboxResponse *all =
        ctl_runtime(c, &c->arena, "ListPodSandbox", &request, err);

    for (size_t i = 0; all && i < all->n_items; i++) {
        const Runtime__V1__PodSandbox *each = all->items[i];

        consider(best, match_of(text, each->id, each->metadata ? each->metadata->name : NULL), i);
    }
    return all;
}

const Runtime__V1__Container *lookup_container(struct ctl *c, const char *text, struct error *err)
{
    struct best best = {0};
    const Runtime__V1__ListContainersResponse *all = find_container(c, text, &best, err);

    if (!all || judge(&best, "container", "ps -a", text, err) < 0)
        return NULL;
    return all->containers[best.at];
}

int lookup_any(struct ctl *c, const char *text, struct lookup_target *out, struct error *err)
{
    struct best pod = {0}, container = {0};
    const Runtime__V1__ListPodSandboxResponse *pods = find_pod(c, text, &pod, err);
    const Runtime__V1__ListContainersResponse *containers =
        pods ? find_container(c, text, &container, err) : NULL;
    bool same_name;

    if (!containers)
        return -1;
    same_name =
        pod.count == 1 && container.count == 1 && pod.match == MATCH_NAME &&
        container.match == MATCH_NAME &&
        strcmp(containers->containers[container.at]->pod_sandbox_id, pods->items[pod.at]->id) == 0;
    if (pod.count && container.count && !same_name && pod.match == container.match)
        return error_set(err, ERROR_INVALID, "\"%s\" is a pod and a container: give more of the id",
                         text);
    if (pod.match >= container.match && pod.count) {
        const Runtime__V1__PodSandbox *found = pods->items[pod.at];

        if (judge(&pod, "pod", "pods", text, err) < 0)
            return -1;
        *out = (struct lookup_target){true, found->id, found->metadata->name};
        return 0;
    }
    if (judge(&container, "pod or container", "ps -a", text, err) < 0)
        return -1;
    *out = (struct lookup_target){false, containers->containers[container.at]->id,
                                  containers->containers[container.at]->metadata->name};
    return 0;
}
