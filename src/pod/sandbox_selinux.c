// SPDX-License-Identifier: Apache-2.0
#include "pod/sandbox_selinux.h"

#include "oci/selinux.h"

static Runtime__V1__SELinuxOption *find(const struct sandbox *s)
{
    const Runtime__V1__LinuxPodSandboxConfig *linux = s->config->linux;

    return linux && linux->security_context ? linux->security_context->selinux_options : NULL;
}

const Runtime__V1__SELinuxOption *sandbox_selinux_options(const struct sandbox *s)
{
    return find(s);
}

/* The options in the pod's config, made when they are not there. */
static Runtime__V1__SELinuxOption *provide(struct sandbox *s)
{
    Runtime__V1__LinuxPodSandboxConfig **linux = &s->config->linux;
    Runtime__V1__LinuxSandboxSecurityContext **security;
    Runtime__V1__SELinuxOption **options;

    if (!*linux) {
        *linux = xmalloc(sizeof **linux);
        runtime__v1__linux_pod_sandbox_config__init(*linux);
    }
    security = &(*linux)->security_context;
    if (!*security) {
        *security = xmalloc(sizeof **security);
        runtime__v1__linux_sandbox_security_context__init(*security);
    }
    options = &(*security)->selinux_options;
    if (!*options) {
        *options = xmalloc(sizeof **options);
        runtime__v1__selinux_option__init(*options);
    }
    return *options;
}

int sandbox_selinux_assign(struct sandbox *s, struct error *err)
{
    const Runtime__V1__SELinuxOption *asked_for = find(s);
    Runtime__V1__SELinuxOption *options;
    char *level;

    if (oci_selinux_check(asked_for, err) < 0)
        return -1;
    if (!s->node->selinux_enabled)
        return 0;
    options = provide(s);
    if (*options->level) {
        selinux_levels_hold(&s->node->selinux, options->level);
        return 0;
    }
    level = selinux_levels_take(&s->node->selinux, err);
    if (!level)
        return -1;
    if (options->level != protobuf_c_empty_string)
        free(options->level);
    options->level = level;
    return 0;
}

void sandbox_selinux_hold(struct sandbox *s)
{
    const Runtime__V1__SELinuxOption *options = find(s);

    if (s->node->selinux_enabled && options && *options->level)
        selinux_levels_hold(&s->node->selinux, options->level);
}

void sandbox_selinux_release(struct sandbox *s)
{
    const Runtime__V1__SELinuxOption *options = find(s);

    if (s->node->selinux_enabled && options && *options->level)
        selinux_levels_release(&s->node->selinux, options->level);
}
