// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "oci/host.h"
#include "pod/node.h"

/* cgroup_driver: who makes the cgroups of pods, the kubelet itself (cgroupfs) or systemd for it.
 *
 * The kubelet asks once, when it starts, and from then on names the cgroups of new pods that way. A
 * container is where its pod's name says, whatever was answered: so a wrong answer breaks no pod
 * that is there, but it would make the kubelet look for its pods in other places. Hence a node
 * keeps the driver that its running pods were made with, and changes with the next start of berthd
 * that finds none of them. */

/* True for systemd, of the configured "cgroupfs", "systemd" or "auto". The latter is systemd where
 * that can be asked and cgroups are of version 2, unless pods run that have parents and none of
 * them a slice. */
bool cgroup_driver_is_systemd(const char *configured, const struct oci_host *host,
                              const char *const *parents, size_t n_parents);

/* The same with the pods of the node that are ready; sets n->systemd_cgroups, and logs it. After
 * recovery_load(), before the first request. */
void cgroup_driver_settle(struct node *n, const char *configured);
