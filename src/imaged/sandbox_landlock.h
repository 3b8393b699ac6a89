// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "imaged/sandbox.h"

/* sandbox_landlock: the sandbox's paths, and no TCP for who unpacks, as rules of the kernel's
 * Landlock (kernel documentation, userspace-api/landlock). Nothing happens when the kernel has
 * none. Wants no_new_privs; before any other thread. */
MUST_CHECK int sandbox_landlock_enter(const struct sandbox *s, struct error *err);
