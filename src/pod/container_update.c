// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/log.h"
#include "base/message.h"
#include "oci/spec.h"
#include "pod/container.h"
#include "pod/container_bundle.h"
#include "pod/container_record.h"
#include "pod/shim.h"

/* UpdateContainerResources, §9.6. Zero and empty fields leave what there is. Before the start only
 * the specification changes; while it runs the cgroup too; when that fails the specification is
 * what it was. */

enum { UPDATE_MS = 60 * 1000 };

/* What ContainerStatus says from now on. */
static void set_resources(struct container *c, struct json_object *spec)
{
    struct node *n = c->sandbox->node;
    Runtime__V1__LinuxContainerResources *next = oci_resources_read(spec), *before;
    struct error err;

    pthread_mutex_lock(&n->lock);
    before = c->resources;
    c->resources = next;
    pthread_mutex_unlock(&n->lock);
    if (before)
        message_free(&before->base);
    if (container_record_update_resources(c, &err) < 0)
        log_error("container %s: its new resources are not recorded: %s", c->id, err.text);
}

/* Gone meanwhile, or about to be, is as good as updated. */
static int apply(struct container *c, struct json_object *spec, struct error *err)
{
    struct deadline by = deadline_in_ms(UPDATE_MS);
    struct json_object *resources = json_get(json_get(spec, "linux"), "resources");

    if (container_state(c) != CONTAINER_RUNNING)
        return 0;
    if (shim_update(c, resources, &by, err) == 0 || err->code == ERROR_NOT_FOUND ||
        err->code == ERROR_PRECONDITION)
        return 0;
    return -1;
}

static int update(struct container *c, const Runtime__V1__LinuxContainerResources *next,
                  struct error *err)
{
    const struct oci_policy *policy = &c->sandbox->runtime->policy;
    JSON_AUTO *old = container_bundle_load_spec(c, err);
    JSON_AUTO *spec = old ? container_bundle_load_spec(c, err) : NULL;
    struct error restoring;

    if (!spec || oci_resources_update(spec, next, &c->sandbox->node->host, policy, err) < 0 ||
        container_bundle_store_spec(c, spec, err) < 0)
        return -1;
    if (apply(c, spec, err) == 0) {
        set_resources(c, spec);
        return 0;
    }
    if (container_bundle_store_spec(c, old, &restoring) < 0)
        error_wrap(err, "its specification could not be restored (%s)", restoring.text);
    return -1;
}

static bool is_being_removed(struct container *c)
{
    bool removing;

    pthread_mutex_lock(&c->sandbox->node->lock);
    removing = c->work == CONTAINER_REMOVING;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return removing;
}

int container_update(struct container *c, const Runtime__V1__LinuxContainerResources *next,
                     struct error *err)
{
    int outcome;

    if (is_being_removed(c))
        return error_set(err, ERROR_UNKNOWN, "container is in removing state");
    if (!next)
        return 0;
    /* One after the other, so that none works on a specification that another is changing. */
    pthread_mutex_lock(&c->updating);
    outcome = update(c, next, err);
    pthread_mutex_unlock(&c->updating);
    return outcome < 0 ? error_wrap(err, "update container %s", c->id) : 0;
}
