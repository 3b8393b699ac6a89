// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "pod/sandbox.h"

/* sandbox_record: a sandbox's row in the table pods. Any thread. */

/* Before anything else of the pod exists, so that a crash leaves a record to clean up by. */
MUST_CHECK int sandbox_record_insert(struct sandbox *s, struct error *err);

/* State, addresses, CNI record and shim as they are now. */
MUST_CHECK int sandbox_record_update(struct sandbox *s, struct error *err);

/* Stores what UpdatePodSandboxResources said. */
MUST_CHECK int
sandbox_record_set_updated(struct sandbox *s,
                           const Runtime__V1__UpdatePodSandboxResourcesRequest *updated,
                           struct error *err);
MUST_CHECK int sandbox_record_delete(struct sandbox *s, struct error *err);

/* Calls each with every pod, which it owns; those of an earlier boot are not ready. */
MUST_CHECK int sandbox_record_load(struct node *n, void (*each)(struct sandbox *taken),
                                   struct error *err);

/* A stored configuration, the caller's; NULL when there is nothing in it that could be used. */
MUST_CHECK Runtime__V1__PodSandboxConfig *sandbox_record_unpack(const void *bytes, size_t len,
                                                                struct error *err);
