// SPDX-License-Identifier: Apache-2.0
#include "oci/selinux.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"
#include "oci/selinux_levels.h"

static const char NAME_LETTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

static int check_name(const char *field, const char *name, struct error *err)
{
    if (name[strspn(name, NAME_LETTERS)])
        return error_set(err, ERROR_INVALID, "selinux_options.%s: \"%s\" is no name", field, name);
    return 0;
}

int oci_selinux_check(const Runtime__V1__SELinuxOption *options, struct error *err)
{
    if (!options)
        return 0;
    if (check_name("user", options->user, err) < 0 || check_name("role", options->role, err) < 0 ||
        check_name("type", options->type, err) < 0)
        return -1;
    if (*options->level && !selinux_levels_is_valid(options->level))
        return error_set(err, ERROR_INVALID, "selinux_options.level: \"%s\" is no level",
                         options->level);
    return 0;
}

/* The container's, else the pod's, else the default: each part by itself, so that a container with
 * another type stays at the level of its pod. */
static const char *choose(const char *own, const char *pods, const char *otherwise)
{
    if (own && *own)
        return own;
    return pods && *pods ? pods : otherwise;
}

int oci_selinux_add(struct build *b, struct error *err)
{
    static const Runtime__V1__SELinuxOption none = RUNTIME__V1__SELINUX_OPTION__INIT;
    const Runtime__V1__SELinuxOption *own = b->security->selinux_options, *pods;
    const char *user, *level;
    AUTO_FREE char *process = NULL, *mount = NULL;

    if (oci_selinux_check(own, err) < 0)
        return -1;
    if (!b->in->policy.selinux_enabled || !b->in->host->has_selinux)
        return 0;
    own = own ? own : &none;
    pods = b->in->pod_selinux ? b->in->pod_selinux : &none;
    user = choose(own->user, pods->user, "system_u");
    level = choose(own->level, pods->level, "s0");
    process = xasprintf("%s:%s:%s:%s", user, choose(own->role, pods->role, "system_r"),
                        choose(own->type, pods->type, "container_t"), level);
    mount = xasprintf("%s:object_r:container_file_t:%s", user, level);
    if (!b->privileged)
        json_add_str(b->process, "selinuxLabel", process);
    json_add_str(b->linux, "mountLabel", mount);
    return 0;
}
