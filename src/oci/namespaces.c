// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"

/* The container joins those that the pod has of its own, and stays in the node's otherwise. */
static void add_of_pod(struct build *b, struct json_object *to, const char *type, const char *file)
{
    struct json_object *namespace = json_add_object(to, NULL);
    AUTO_FREE char *path = xasprintf("%s/ns/%s", b->in->pod_dir, file);

    json_add_str(namespace, "type", type);
    json_add_str(namespace, "path", path);
}

static void add_new(struct json_object *to, const char *type)
{
    json_add_str(json_add_object(to, NULL), "type", type);
}

static void add_pid(struct build *b, struct json_object *to)
{
    struct json_object *namespace;

    if (b->in->host_pid)
        return;
    namespace = json_add_object(to, NULL);
    json_add_str(namespace, "type", "pid");
    if (b->in->target_pid_ns)
        json_add_str(namespace, "path", b->in->target_pid_ns);
}

static bool mappings_are_equal(Runtime__V1__IDMapping **a, size_t n_a, Runtime__V1__IDMapping **b,
                               size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (a[i]->host_id != b[i]->host_id || a[i]->container_id != b[i]->container_id ||
            a[i]->length != b[i]->length)
            return false;
    return true;
}

static const Runtime__V1__UserNamespace *userns_of_pod(const struct build *b)
{
    const Runtime__V1__LinuxPodSandboxConfig *linux = b->in->pod_config->linux;

    if (!linux || !linux->security_context || !linux->security_context->namespace_options)
        return NULL;
    return linux->security_context->namespace_options->userns_options;
}

/* All containers of a pod are in the pod's user namespace, so what they say must agree. */
static int check_user_namespace(const struct build *b, struct error *err)
{
    const Runtime__V1__NamespaceOption *options = b->security->namespace_options;
    const Runtime__V1__UserNamespace *own = options ? options->userns_options : NULL;
    const Runtime__V1__UserNamespace *pods = userns_of_pod(b);

    if (!own != !pods ||
        (own && (own->mode != pods->mode ||
                 !mappings_are_equal(own->uids, own->n_uids, pods->uids, pods->n_uids) ||
                 !mappings_are_equal(own->gids, own->n_gids, pods->gids, pods->n_gids))))
        return error_set(err, ERROR_INVALID,
                         "namespace_options.userns_options differ from the pod's");
    if (!own)
        return 0;
    if (own->mode == RUNTIME__V1__NAMESPACE_MODE__POD)
        return error_set(err, ERROR_UNIMPLEMENTED, "user namespaces are not supported yet");
    if (own->mode != RUNTIME__V1__NAMESPACE_MODE__NODE)
        return error_set(err, ERROR_INVALID,
                         "namespace_options.userns_options.mode: %d is neither POD nor NODE",
                         (int)own->mode);
    if (own->n_uids > 0 || own->n_gids > 0)
        return error_set(err, ERROR_INVALID,
                         "namespace_options.userns_options: mode NODE has no mappings");
    return 0;
}

int oci_namespaces_add(struct build *b, struct error *err)
{
    struct json_object *to = json_add_array(b->linux, "namespaces");

    if (check_user_namespace(b, err) < 0)
        return -1;
    add_pid(b, to);
    if (b->in->pod_owns_ipc)
        add_of_pod(b, to, "ipc", "ipc");
    if (b->in->pod_owns_uts)
        add_of_pod(b, to, "uts", "uts");
    add_new(to, "mount");
    if (b->in->pod_owns_network)
        add_of_pod(b, to, "network", "net");
    /* With version 2 a private one shows the container only its own part of the tree. */
    if (b->in->host->cgroup_mode == OCI_CGROUP_V2 && !b->privileged)
        add_new(to, "cgroup");
    return 0;
}
