// SPDX-License-Identifier: Apache-2.0
#include "pod/container_selinux.h"

/* NULL: it is at the level of its pod, which holds it. */
static const char *own_level(const struct container *c)
{
    const Runtime__V1__LinuxContainerConfig *linux = c->config->linux;
    const Runtime__V1__SELinuxOption *options =
        linux && linux->security_context ? linux->security_context->selinux_options : NULL;

    return c->sandbox->node->selinux_enabled && options && *options->level ? options->level : NULL;
}

void container_selinux_hold(const struct container *c)
{
    if (own_level(c))
        selinux_levels_hold(&c->sandbox->node->selinux, own_level(c));
}

void container_selinux_release(const struct container *c)
{
    if (own_level(c))
        selinux_levels_release(&c->sandbox->node->selinux, own_level(c));
}
