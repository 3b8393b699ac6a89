// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/own.h"
#include "base/strv.h"
#include "oci/spec.h"

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_slice(const struct strv *parts)
{
    return parts->len > 0 && ends_with(parts->items[parts->len - 1], ".slice");
}

bool oci_cgroups_parent_is_slice(const char *cgroup_parent)
{
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, cgroup_parent, '/');
    return is_slice(&parts);
}

bool oci_cgroups_path_is_scope(const char *cgroups_path)
{
    return cgroups_path[0] != '/';
}

int oci_cgroups_path(const char *cgroup_parent, const char *container_id, bool systemd, char **out,
                     struct error *err)
{
    AUTO_FINI(strv) parts = {0};
    AUTO_FREE char *clean = NULL;

    strv_add_split(&parts, cgroup_parent, '/');
    if (strv_contains(&parts, ".."))
        return error_set(err, ERROR_INVALID, "cgroup_parent: \"%s\" contains \"..\"",
                         cgroup_parent);
    if (parts.len == 0) {
        *out = xasprintf(systemd ? "system.slice:cri-containerd:%s" : "/berth/%s", container_id);
        return 0;
    }
    /* The text decides, not a setting: this is how the parents of a kubelet look whose driver is
     * systemd. */
    if (is_slice(&parts)) {
        *out = xasprintf("%s:cri-containerd:%s", parts.items[parts.len - 1], container_id);
        return 0;
    }
    clean = strv_join(&parts, "/");
    *out = xasprintf("/%s/%s", clean, container_id);
    return 0;
}
