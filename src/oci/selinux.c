// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"

enum { DIGITS_MAX = 4 };

/* Reads letter and one or more digits, at most max; returns what follows or NULL. */
static const char *read_part(const char *at, char letter, size_t max)
{
    size_t n = 0;

    if (*at++ != letter)
        return NULL;
    while (isdigit((unsigned char)at[n]))
        n++;
    return n > 0 && n <= max ? at + n : NULL;
}

/* s0 or s0-s0, then :c1 or :c1.c2 or :c1,c2 and so on. */
static bool level_is_valid(const char *at)
{
    at = read_part(at, 's', 1);
    if (at && *at == '-')
        at = read_part(at + 1, 's', 1);
    if (!at || !*at)
        return at != NULL;
    if (*at != ':')
        return false;
    do {
        at = read_part(at + 1, 'c', DIGITS_MAX);
        if (at && *at == '.')
            at = read_part(at + 1, 'c', DIGITS_MAX);
    } while (at && *at == ',');
    return at && !*at;
}

static const char *or_default(const char *text, const char *otherwise)
{
    return *text ? text : otherwise;
}

/* The pod's count for a container that has none. */
static const Runtime__V1__SELinuxOption *find_options(const struct build *b)
{
    const Runtime__V1__LinuxPodSandboxConfig *pod = b->in->pod_config->linux;

    if (b->security->selinux_options)
        return b->security->selinux_options;
    return pod && pod->security_context ? pod->security_context->selinux_options : NULL;
}

int oci_selinux_add(struct build *b, struct error *err)
{
    const Runtime__V1__SELinuxOption *options = find_options(b);
    AUTO_FREE char *process = NULL, *mount = NULL;

    if (options && *options->level && !level_is_valid(options->level))
        return error_set(err, ERROR_INVALID, "selinux_options.level: \"%s\" is no level",
                         options->level);
    if (!b->in->policy.selinux_enabled || !b->in->host->has_selinux || !options)
        return 0;
    process = xasprintf("%s:%s:%s:%s", or_default(options->user, "system_u"),
                        or_default(options->role, "system_r"),
                        or_default(options->type, "container_t"), or_default(options->level, "s0"));
    mount = xasprintf("%s:object_r:container_file_t:%s", or_default(options->user, "system_u"),
                      or_default(options->level, "s0"));
    if (!b->privileged)
        json_add_str(b->process, "selinuxLabel", process);
    json_add_str(b->linux, "mountLabel", mount);
    return 0;
}
