// SPDX-License-Identifier: Apache-2.0
#include "pod/cgroup_driver.h"

#include <string.h>

#include "base/log.h"
#include "oci/spec.h"
#include "pod/sandbox.h"

bool cgroup_driver_is_systemd(const char *configured, const struct oci_host *host,
                              const char *const *parents, size_t n_parents)
{
    if (strcmp(configured, "auto") != 0)
        return strcmp(configured, "systemd") == 0;
    if (!host->systemd_answers || host->cgroup_mode != OCI_CGROUP_V2)
        return false;
    for (size_t i = 0; i < n_parents; i++)
        if (oci_cgroups_parent_is_slice(parents[i]))
            return true;
    return n_parents == 0;
}

void cgroup_driver_settle(struct node *n, const char *configured)
{
    AUTO_FREE const char **parents = xcalloc(n->sandboxes.len + 1, sizeof *parents);
    const struct map_slot *slot;
    size_t count = 0;

    for (size_t at = 0; (slot = map_next(&n->sandboxes, &at));) {
        const struct sandbox *s = slot->value;
        const Runtime__V1__LinuxPodSandboxConfig *linux = s->config->linux;

        if (s->state == SANDBOX_READY && linux && *linux->cgroup_parent)
            parents[count++] = linux->cgroup_parent;
    }
    n->systemd_cgroups = cgroup_driver_is_systemd(configured, &n->host, parents, count);
    log_info("the cgroup driver is %s (%s)", n->systemd_cgroups ? "systemd" : "cgroupfs",
             configured);
}
