// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/strv.h"

/* capabilities: sets of Linux capabilities, one bit each. A value; any thread. */

enum { CAPABILITIES_COUNT = 41 }; /* up to CAP_CHECKPOINT_RESTORE */

/* What a container has that asks for nothing. */
uint64_t oci_capabilities_default(void);

/* The bit of "CAP_CHOWN", "chown" and the like; 0 when there is none of that name. */
uint64_t oci_capabilities_find(const char *name);

/* Adds the names, such as CAP_CHOWN, of those in set. */
void oci_capabilities_names(uint64_t set, struct strv *out);

/* Those of the names that are known. */
uint64_t oci_capabilities_of(const struct strv *names);
