// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "pod/container.h"

/* container_record: a container's row in the table containers. Any thread. */
MUST_CHECK int container_record_insert(struct container *c, struct error *err);

/* Stores a status that is not yet in memory. */
MUST_CHECK int container_record_update(struct container *c, const struct container_status *status,
                                       struct error *err);

/* Stores the resources that it has now. */
MUST_CHECK int container_record_update_resources(struct container *c, struct error *err);
MUST_CHECK int container_record_delete(struct container *c, struct error *err);

/* Calls each with every container of a pod in the node's map, which it owns. Rows of pods that are
 * not there are deleted. */
MUST_CHECK int container_record_load(struct node *n, void (*each)(struct container *taken),
                                     struct error *err);
