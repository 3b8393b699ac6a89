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
