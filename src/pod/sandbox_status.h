// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cri.pb-c.h>

#include "base/arena.h"
#include "pod/sandbox.h"

/* sandbox_status: a sandbox as CRI messages.
 *
 * The messages point into the sandbox, whose reference the arena keeps. Any thread. */

/* For PodSandboxStatus. */
Runtime__V1__PodSandboxStatus *sandbox_status_message(struct sandbox *s, struct arena *a);

/* For ListPodSandbox. */
Runtime__V1__PodSandbox *sandbox_status_item(struct sandbox *s, struct arena *a);

/* The "info" of a verbose status: a JSON object. */
char *sandbox_status_info(struct sandbox *s, struct arena *a);
