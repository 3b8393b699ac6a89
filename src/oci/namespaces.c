// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"
#include "oci/userns.h"

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

static const Runtime__V1__UserNamespace *userns_of_pod(const struct build *b)
{
    const Runtime__V1__LinuxPodSandboxConfig *linux = b->in->pod_config->linux;

    if (!linux || !linux->security_context || !linux->security_context->namespace_options)
        return NULL;
    return linux->security_context->namespace_options->userns_options;
}

/* All containers of a pod are in the pod's user namespace. What the request says of the pod may be
 * other than what the pod was made with, so that is asked too. */
static int check_user_namespace(const struct build *b, struct error *err)
{
    const Runtime__V1__NamespaceOption *options = b->security->namespace_options;
    const Runtime__V1__UserNamespace *own = options ? options->userns_options : NULL;
    struct idmap ids;

    if (oci_userns_check_same(own, userns_of_pod(b), err) < 0 ||
        oci_userns_parse(own, &ids, err) < 0)
        return -1;
    if (!idmap_is_same(&ids, &b->in->ids))
        return error_set(err, ERROR_INVALID,
                         "userns_options differ from those that the pod was made with");
    if (idmap_is_set(&ids) && b->in->host_pid)
        return error_set(err, ERROR_INVALID,
                         "namespace_options.pid: NODE cannot be in a pod with a user namespace");
    return 0;
}

static void add_user(struct build *b, struct json_object *to)
{
    struct json_object *namespace;

    if (!b->in->userns)
        return;
    namespace = json_add_object(to, NULL);
    json_add_str(namespace, "type", "user");
    json_add_str(namespace, "path", b->in->userns);
    oci_userns_add(b->linux, &b->in->ids);
}

static int check_mode(const char *field, Runtime__V1__NamespaceMode mode, struct error *err)
{
    if (!protobuf_c_enum_descriptor_get_value(&runtime__v1__namespace_mode__descriptor, (int)mode))
        return error_set(err, ERROR_INVALID, "namespace_options.%s: %d is not known", field,
                         (int)mode);
    return 0;
}

/* Network and IPC are the pod's, and what a container says of them is only looked at. */
static int check_modes(const struct build *b, struct error *err)
{
    const Runtime__V1__NamespaceOption *options = b->security->namespace_options;

    if (!options)
        return 0;
    if (check_mode("network", options->network, err) < 0 ||
        check_mode("ipc", options->ipc, err) < 0)
        return -1;
    return check_mode("pid", options->pid, err);
}

int oci_namespaces_add(struct build *b, struct error *err)
{
    struct json_object *to = json_add_array(b->linux, "namespaces");

    if (check_modes(b, err) < 0 || check_user_namespace(b, err) < 0)
        return -1;
    add_user(b, to);
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
