// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/error.h"

/* quantity: numbers as Kubernetes writes them: 1500, 1.5k, 2Mi, 3e6. Any thread. */

/* Rounded up to a whole number; what is below 0 or above max fails with ERROR_RANGE. */
MUST_CHECK int quantity_parse(const char *text, uint64_t max, uint64_t *out, struct error *err);
