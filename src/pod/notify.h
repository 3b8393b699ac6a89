// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "pod/container.h"
#include "pod/sandbox.h"

/* notify: tells the subscribers of GetContainerEvents what happened, with the statuses of the pod
 * and of all its containers as they are now. Any thread. */
void notify_sandbox(struct sandbox *s, Runtime__V1__ContainerEventType type);
void notify_container(struct container *c, Runtime__V1__ContainerEventType type);
