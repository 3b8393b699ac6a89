// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "cri.pb-c.h"

/* limits: what a client may ask for as resources of a container. */

/* The error names the field and the value. Any thread. */
MUST_CHECK int oci_limits_check(const Runtime__V1__LinuxContainerResources *r, struct error *err);

/* The greatest number in a list such as 0-3,7; 0 in an empty one. */
unsigned long oci_limits_highest(const char *set);
