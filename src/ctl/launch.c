// SPDX-License-Identifier: Apache-2.0
#include "ctl/launch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "ctl/publish.h"
#include "ctl/pull.h"

static const char POD_NAMESPACE[] = "default";

/* The last part of the image's name without tag and digest, and some digits. */
static const char *invent_name(struct arena *a, const char *image, const char *id)
{
    const char *slash = strrchr(image, '/'), *last = slash ? slash + 1 : image;
    size_t len = strcspn(last, ":@");

    return arena_printf(a, "%.*s-%.5s", (int)(len ? len : strlen("pod")), len ? last : "pod", id);
}

void launch_init(struct launch *l, struct ctl *c, const struct launch_options *options)
{
    char id[ID_SIZE];

    id_new(id);
    *l = (struct launch){.options = options};
    l->uid = arena_printf(&c->arena, "berthctl-%.32s", id);
    l->name = options->name ? options->name : invent_name(&c->arena, options->image, id);
    l->log_folder = arena_printf(&c->arena, "%s/%s", options->log_dir, l->name);
}

/* As many ids as there were once, and distributions count on. */
static Runtime__V1__UserNamespace *user_namespace(const struct launch *l, struct arena *a)
{
    Runtime__V1__UserNamespace *userns = arena_new(a, &runtime__v1__user_namespace__descriptor);
    Runtime__V1__IDMapping *mapping = arena_new(a, &runtime__v1__idmapping__descriptor);

    mapping->host_id = (uint32_t)l->options->first_id;
    mapping->length = 65536;
    userns->mode = RUNTIME__V1__NAMESPACE_MODE__POD;
    userns->uids = userns->gids = arena_alloc(a, sizeof(Runtime__V1__IDMapping *));
    userns->uids[0] = mapping;
    userns->n_uids = userns->n_gids = 1;
    return userns;
}

static Runtime__V1__PodSandboxConfig *pod_config(const struct launch *l, struct arena *a)
{
    Runtime__V1__PodSandboxConfig *config =
        arena_new(a, &runtime__v1__pod_sandbox_config__descriptor);
    Runtime__V1__PodSandboxMetadata *metadata =
        arena_new(a, &runtime__v1__pod_sandbox_metadata__descriptor);
    Runtime__V1__LinuxPodSandboxConfig *linux =
        arena_new(a, &runtime__v1__linux_pod_sandbox_config__descriptor);
    Runtime__V1__LinuxSandboxSecurityContext *security =
        arena_new(a, &runtime__v1__linux_sandbox_security_context__descriptor);
    Runtime__V1__NamespaceOption *namespaces =
        arena_new(a, &runtime__v1__namespace_option__descriptor);

    metadata->name = arena_strdup(a, l->name);
    metadata->uid = arena_strdup(a, l->uid);
    metadata->namespace_ = arena_strdup(a, POD_NAMESPACE);
    namespaces->pid = RUNTIME__V1__NAMESPACE_MODE__CONTAINER;
    if (l->options->host_network)
        namespaces->network = RUNTIME__V1__NAMESPACE_MODE__NODE;
    else
        config->hostname = arena_strdup(a, l->name);
    if (l->options->first_id > 0)
        namespaces->userns_options = user_namespace(l, a);
    security->namespace_options = namespaces;
    linux->security_context = security;
    config->metadata = metadata;
    config->log_directory = arena_strdup(a, l->log_folder);
    config->linux = linux;
    return config;
}

/* NAME=VALUE as it is, NAME from our own environment; a name that we have not is left out. */
static void add_env(Runtime__V1__ContainerConfig *config, struct arena *a, const char *text)
{
    Runtime__V1__KeyValue *env = arena_new(a, &runtime__v1__key_value__descriptor);
    const char *equals = strchr(text, '='), *value = equals ? equals + 1 : getenv(text);

    if (!value)
        return;
    env->key = arena_printf(a, "%.*s", (int)(equals ? equals - text : (int)strlen(text)), text);
    env->value.data = (uint8_t *)arena_strdup(a, value);
    env->value.len = strlen(value);
    config->envs[config->n_envs++] = env;
}

static Runtime__V1__ContainerConfig *container_config(const struct launch *l, struct arena *a)
{
    const struct launch_options *o = l->options;
    Runtime__V1__ContainerConfig *config = arena_new(a, &runtime__v1__container_config__descriptor);
    Runtime__V1__ContainerMetadata *metadata =
        arena_new(a, &runtime__v1__container_metadata__descriptor);
    Runtime__V1__ImageSpec *image = arena_new(a, &runtime__v1__image_spec__descriptor);
    Runtime__V1__LinuxContainerConfig *linux =
        arena_new(a, &runtime__v1__linux_container_config__descriptor);
    Runtime__V1__LinuxContainerSecurityContext *security =
        arena_new(a, &runtime__v1__linux_container_security_context__descriptor);

    metadata->name = arena_strdup(a, l->name);
    image->image = arena_strdup(a, o->image);
    config->metadata = metadata;
    config->image = image;
    config->args = o->command.items;
    config->n_args = o->command.len;
    config->log_path = arena_printf(a, "%s.log", l->name);
    config->envs = arena_alloc(a, (o->env.len + 1) * sizeof(void *));
    for (size_t i = 0; i < o->env.len; i++)
        add_env(config, a, o->env.items[i]);
    security->namespace_options = pod_config(l, a)->linux->security_context->namespace_options;
    linux->security_context = security;
    config->linux = linux;
    return config;
}

static int start_container(struct launch *l, struct ctl *c, Runtime__V1__PodSandboxConfig *pod,
                           struct error *err)
{
    Runtime__V1__CreateContainerRequest create = RUNTIME__V1__CREATE_CONTAINER_REQUEST__INIT;
    Runtime__V1__StartContainerRequest start = RUNTIME__V1__START_CONTAINER_REQUEST__INIT;
    const Runtime__V1__CreateContainerResponse *created;

    create.pod_sandbox_id = (char *)l->pod_id;
    create.config = container_config(l, &c->arena);
    create.sandbox_config = pod;
    created = ctl_runtime(c, &c->arena, "CreateContainer", &create, err);
    if (!created)
        return -1;
    l->container_id = created->container_id;
    start.container_id = created->container_id;
    return ctl_runtime(c, &c->arena, "StartContainer", &start, err) ? 0 : -1;
}

static int add_ports(const struct launch *l, Runtime__V1__PodSandboxConfig *pod, struct arena *a,
                     struct error *err)
{
    const struct strv *publish = &l->options->publish;

    pod->port_mappings = arena_alloc(a, (publish->len + 1) * sizeof(void *));
    for (size_t i = 0; i < publish->len; i++) {
        Runtime__V1__PortMapping *m = publish_parse(publish->items[i], a, err);

        if (!m)
            return error_wrap(err, "--publish");
        pod->port_mappings[pod->n_port_mappings++] = m;
    }
    return 0;
}

/* Two pods of one name would share a folder for their logs, and whoever looks for one finds both.
 */
static int check_name(const struct launch *l, struct ctl *c, struct error *err)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__ListPodSandboxResponse *all =
        ctl_runtime(c, &c->arena, "ListPodSandbox", &request, err);

    for (size_t i = 0; all && i < all->n_items; i++) {
        const Runtime__V1__PodSandboxMetadata *m = all->items[i]->metadata;

        if (m && strcmp(m->name, l->name) == 0 && strcmp(m->namespace_, POD_NAMESPACE) == 0)
            return error_set(err, ERROR_EXISTS,
                             "there is a pod called %s: remove it, or choose another --name",
                             l->name);
    }
    return all ? 0 : -1;
}

int launch_start(struct launch *l, struct ctl *c, struct error *err)
{
    Runtime__V1__RunPodSandboxRequest request = RUNTIME__V1__RUN_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__PodSandboxConfig *pod = pod_config(l, &c->arena);
    const Runtime__V1__RunPodSandboxResponse *response;

    if (add_ports(l, pod, &c->arena, err) < 0 || check_name(l, c, err) < 0 ||
        !pull_if_absent(c, l->options->image, err))
        return -1;
    if (file_make_dirs(l->log_folder, 0755, err) < 0)
        return error_wrap(err, "make a folder for the log, choose one with --log-dir");
    l->log = arena_printf(&c->arena, "%s/%s.log", l->log_folder, l->name);
    unlink(l->log); /* of an earlier pod, which would be printed as this one's */
    request.config = pod;
    request.runtime_handler = arena_strdup(&c->arena, l->options->runtime);
    response = ctl_runtime(c, &c->arena, "RunPodSandbox", &request, err);
    if (!response)
        return -1;
    l->pod_id = response->pod_sandbox_id;
    return start_container(l, c, pod, err);
}

/* When RunPodSandbox was given up, the pod may be there all the same. */
static int find_pod(struct launch *l, struct ctl *c, struct error *err)
{
    Runtime__V1__ListPodSandboxRequest request = RUNTIME__V1__LIST_POD_SANDBOX_REQUEST__INIT;
    const Runtime__V1__ListPodSandboxResponse *all =
        ctl_runtime(c, &c->arena, "ListPodSandbox", &request, err);

    for (size_t i = 0; all && i < all->n_items; i++)
        if (all->items[i]->metadata && strcmp(all->items[i]->metadata->uid, l->uid) == 0)
            l->pod_id = all->items[i]->id;
    return all ? 0 : -1;
}

int launch_remove(struct launch *l, struct ctl *c, struct error *err)
{
    Runtime__V1__StopPodSandboxRequest stop = RUNTIME__V1__STOP_POD_SANDBOX_REQUEST__INIT;
    Runtime__V1__RemovePodSandboxRequest remove = RUNTIME__V1__REMOVE_POD_SANDBOX_REQUEST__INIT;

    if (!l->pod_id && find_pod(l, c, err) < 0)
        return -1;
    if (l->pod_id) {
        stop.pod_sandbox_id = remove.pod_sandbox_id = (char *)l->pod_id;
        if (!ctl_runtime(c, &c->arena, "StopPodSandbox", &stop, err) ||
            !ctl_runtime(c, &c->arena, "RemovePodSandbox", &remove, err))
            return error_wrap(err, "remove pod %s", l->name);
    }
    if (l->log) {
        unlink(l->log);
        rmdir(l->log_folder); /* it stays when there is something else in it */
    }
    return 0;
}
