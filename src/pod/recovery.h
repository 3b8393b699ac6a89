// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "pod/node.h"

/* recovery: what berthd knows again after a restart.
 *
 * Records come from the database, the truth about what ended from exit records and from the
 * kernel: a shim is alive when its pid still has its start time. No shim is asked. After a reboot,
 * which the boot id tells, everything has ended. */

/* Loads all into the node's maps. Before the first request is served. */
MUST_CHECK int recovery_load(struct node *n, struct error *err);

/* The rest, which may take longer and runs beside requests: ends what was left half-done and
 * removes what nobody knows. On a thread of the pool. */
void recovery_finish(struct node *n);
