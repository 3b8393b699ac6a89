// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "imaged/sandbox.h"

/* sandbox_files: a mount namespace of the process's own, in which the sandbox's paths and the
 * numbers below /proc are all there is. Wants root; before any other thread. */
MUST_CHECK int sandbox_files_enter(const struct sandbox *s, struct error *err);
