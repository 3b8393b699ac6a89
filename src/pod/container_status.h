// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/arena.h"
#include "pod/container.h"

/* container_status: a container as CRI messages.
 *
 * The messages point into the container, whose reference the arena keeps. Any thread. */

/* For ContainerStatus. */
Runtime__V1__ContainerStatus *container_status_message(struct container *c, struct arena *a);

/* For ListContainers. */
Runtime__V1__Container *container_status_item(struct container *c, struct arena *a);

/* The "info" of a verbose status: a JSON object with the runtime's specification. */
char *container_status_info(struct container *c, struct arena *a);
