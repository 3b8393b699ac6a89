// SPDX-License-Identifier: Apache-2.0
#include "pod/container_status.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "base/message.h"
#include "base/proto_json.h"
#include "pod/stop_signal.h"

enum { SPEC_MAX = 4 * 1024 * 1024 };

static void drop(void *object)
{
    container_free(object);
}

/* Under the lock. */
static Runtime__V1__ContainerResources *resources_of(const struct container *c, struct arena *a)
{
    Runtime__V1__ContainerResources *r =
        arena_new(a, &runtime__v1__container_resources__descriptor);

    if (!c->resources) {
        r->linux = arena_new(a, &runtime__v1__linux_container_resources__descriptor);
        return r;
    }
    r->linux = (Runtime__V1__LinuxContainerResources *)message_copy(&c->resources->base);
    arena_defer(a, (void (*)(void *))message_free, r->linux);
    return r;
}

/* Under the lock. */
static void add_status(const struct container *c, struct arena *a, Runtime__V1__ContainerStatus *m)
{
    const struct container_status *status = &c->status;

    m->state = (Runtime__V1__ContainerState)container_state_locked(c);
    m->created_at = status->created_ns;
    if (m->state != RUNTIME__V1__CONTAINER_STATE__CONTAINER_CREATED)
        m->started_at = status->started_ns;
    if (m->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED ||
        m->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_UNKNOWN)
        m->finished_at = status->finished_ns;
    m->exit_code = status->exit_code;
    if (status->reason)
        m->reason = arena_strdup(a, status->reason);
    else if (m->state == RUNTIME__V1__CONTAINER_STATE__CONTAINER_EXITED)
        m->reason = status->exit_code ? "Error" : "Completed";
    if (status->message)
        m->message = arena_strdup(a, status->message);
    m->resources = resources_of(c, a);
}

static Runtime__V1__ContainerUser *user_of(const struct container *c, struct arena *a)
{
    Runtime__V1__ContainerUser *user = arena_new(a, &runtime__v1__container_user__descriptor);

    user->linux = arena_new(a, &runtime__v1__linux_container_user__descriptor);
    user->linux->uid = c->user.uid;
    user->linux->gid = c->user.gid;
    user->linux->n_supplemental_groups = c->user.n_groups;
    user->linux->supplemental_groups =
        arena_alloc(a, c->user.n_groups * sizeof *user->linux->supplemental_groups);
    for (size_t i = 0; i < c->user.n_groups; i++)
        user->linux->supplemental_groups[i] = c->user.groups[i];
    return user;
}

static Runtime__V1__ImageSpec *image_of(const struct container *c, struct arena *a)
{
    Runtime__V1__ImageSpec *spec;

    if (!*c->image_name)
        return c->config->image;
    spec = arena_new(a, &runtime__v1__image_spec__descriptor);
    spec->image = c->image_name;
    return spec;
}

Runtime__V1__ContainerStatus *container_status_message(struct container *c, struct arena *a)
{
    Runtime__V1__ContainerStatus *m = arena_new(a, &runtime__v1__container_status__descriptor);

    arena_defer(a, drop, container_ref(c));
    m->id = c->id;
    m->metadata = c->config->metadata;
    m->image = image_of(c, a);
    m->image_ref = c->image_ref;
    m->image_id = c->image_id;
    m->n_labels = c->config->n_labels;
    m->labels = (Runtime__V1__ContainerStatus__LabelsEntry **)c->config->labels;
    m->n_annotations = c->config->n_annotations;
    m->annotations = (Runtime__V1__ContainerStatus__AnnotationsEntry **)c->config->annotations;
    m->n_mounts = c->config->n_mounts;
    m->mounts = c->config->mounts;
    m->log_path = c->log_path;
    m->user = user_of(c, a);
    m->stop_signal = stop_signal_enum(c);
    pthread_mutex_lock(&c->sandbox->node->lock);
    add_status(c, a, m);
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return m;
}

Runtime__V1__Container *container_status_item(struct container *c, struct arena *a)
{
    Runtime__V1__Container *m = arena_new(a, &runtime__v1__container__descriptor);

    arena_defer(a, drop, container_ref(c));
    m->id = c->id;
    m->pod_sandbox_id = c->sandbox->id;
    m->metadata = c->config->metadata;
    m->image = c->config->image;
    m->image_ref = c->image_id;
    m->image_id = c->image_id;
    m->n_labels = c->config->n_labels;
    m->labels = (Runtime__V1__Container__LabelsEntry **)c->config->labels;
    m->n_annotations = c->config->n_annotations;
    m->annotations = (Runtime__V1__Container__AnnotationsEntry **)c->config->annotations;
    pthread_mutex_lock(&c->sandbox->node->lock);
    m->created_at = c->status.created_ns;
    m->state = (Runtime__V1__ContainerState)container_state_locked(c);
    pthread_mutex_unlock(&c->sandbox->node->lock);
    return m;
}

char *container_status_info(struct container *c, struct arena *a)
{
    AUTO_FREE char *path = xasprintf("%s/config.json", c->bundle);
    AUTO_FINI(buf) text = BUF(SPEC_MAX);
    JSON_AUTO *info = json_object_new_object();
    struct json_object *spec = NULL;
    struct error ignored;
    bool removing;
    pid_t pid;

    pthread_mutex_lock(&c->sandbox->node->lock);
    removing = c->work == CONTAINER_REMOVING;
    pid = c->status.pid;
    pthread_mutex_unlock(&c->sandbox->node->lock);
    json_add_str(info, "sandboxID", c->sandbox->id);
    json_add_int(info, "pid", pid);
    json_add_flag(info, "removing", removing);
    json_add_str(info, "snapshotKey", c->id);
    json_add_str(info, "snapshotter", "overlayfs");
    json_add_str(info, "runtimeType", "berth.shim.v2");
    json_add_str(info, "runtime", c->sandbox->runtime ? c->sandbox->runtime->path : "");
    json_add(info, "config", proto_json_terse(&c->config->base));
    if (file_load(AT_FDCWD, path, &text, &ignored) == 0)
        spec = json_parse(text.data, text.len, &ignored);
    if (spec)
        json_add(info, "runtimeSpec", spec);
    return arena_strdup(a, json_text(info));
}
