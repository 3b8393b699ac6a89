// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_check.h"

#include <string.h>

#include "base/own.h"
#include "base/strv.h"

enum { HOSTNAME_MAX = 64 };

/* Only containers have a target. */
static int check_mode(const char *field, Runtime__V1__NamespaceMode mode, bool may_be_target,
                      struct error *err)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&runtime__v1__namespace_mode__descriptor, (int)mode);

    if (!value)
        return error_set(err, ERROR_UNKNOWN, "namespace_options.%s: %d is not known", field,
                         (int)mode);
    if (mode == RUNTIME__V1__NAMESPACE_MODE__TARGET && !may_be_target)
        return error_set(err, ERROR_UNKNOWN, "namespace_options.%s: TARGET is not for pods", field);
    return 0;
}

static int check_linux(const Runtime__V1__LinuxPodSandboxConfig *linux, struct error *err)
{
    const Runtime__V1__NamespaceOption *o =
        linux->security_context ? linux->security_context->namespace_options : NULL;
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, linux->cgroup_parent, '/');
    if (strv_contains(&parts, ".."))
        return error_set(err, ERROR_UNKNOWN, "cgroup_parent: \"%s\" contains \"..\"",
                         linux->cgroup_parent);
    if (!o)
        return 0;
    if (check_mode("network", o->network, false, err) < 0 ||
        check_mode("ipc", o->ipc, false, err) < 0)
        return -1;
    return check_mode("pid", o->pid, true, err);
}

int sandbox_check(const Runtime__V1__PodSandboxConfig *config, struct error *err)
{
    if (!config || !config->metadata)
        return error_set(err, ERROR_UNKNOWN, "the sandbox config has no metadata");
    if (strlen(config->hostname) > HOSTNAME_MAX)
        return error_set(err, ERROR_UNKNOWN, "hostname: \"%.80s\" is longer than %d letters",
                         config->hostname, HOSTNAME_MAX);
    return config->linux ? check_linux(config->linux, err) : 0;
}

/* --- pods that nobody trusts --- */

static const char UNTRUSTED_KEY[] = "io.kubernetes.cri.untrusted-workload";
static const char UNTRUSTED[] = "untrusted";

static bool is_untrusted(const Runtime__V1__PodSandboxConfig *config)
{
    for (size_t i = 0; i < config->n_annotations; i++)
        if (strcmp(config->annotations[i]->key, UNTRUSTED_KEY) == 0)
            return strcmp(config->annotations[i]->value, "true") == 0;
    return false;
}

static bool shares_with_node(const Runtime__V1__PodSandboxConfig *config)
{
    const Runtime__V1__LinuxPodSandboxConfig *linux = config->linux;
    const Runtime__V1__NamespaceOption *o =
        linux && linux->security_context ? linux->security_context->namespace_options : NULL;

    return o && (o->network == RUNTIME__V1__NAMESPACE_MODE__NODE ||
                 o->pid == RUNTIME__V1__NAMESPACE_MODE__NODE ||
                 o->ipc == RUNTIME__V1__NAMESPACE_MODE__NODE);
}

const char *sandbox_check_handler(const Runtime__V1__RunPodSandboxRequest *request,
                                  struct error *err)
{
    const char *named = request->runtime_handler;

    if (!is_untrusted(request->config))
        return named;
    if (*named && strcmp(named, UNTRUSTED) != 0) {
        error_set(err, ERROR_UNKNOWN, "annotation %s: it excludes runtime handler \"%s\"",
                  UNTRUSTED_KEY, named);
        return NULL;
    }
    if (shares_with_node(request->config)) {
        error_set(err, ERROR_UNKNOWN, "annotation %s: such a pod has no namespaces of the node",
                  UNTRUSTED_KEY);
        return NULL;
    }
    return UNTRUSTED;
}
