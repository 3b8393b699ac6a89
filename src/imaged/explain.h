// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "imaged/pull.h"

/* explain: what each host that an image might be pulled from says to its name. Nothing is pulled.
 */

/* Sends an event about each; blocks. Once per process, which can do little else afterwards. */
MUST_CHECK int explain_run(const struct pull *p, struct error *err);
