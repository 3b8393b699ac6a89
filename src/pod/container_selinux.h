// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pod/container.h"

/* container_selinux: the SELinux level of a container that has another than its pod, because its
 * own options name one: no pod is to be given that level meanwhile. Any thread. */

/* When it is made, or comes from its record; and once when it is gone. */
void container_selinux_hold(const struct container *c);
void container_selinux_release(const struct container *c);
