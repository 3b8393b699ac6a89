// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "cri.pb-c.h"

/* limits: what a client may ask for as resources of a container. */

/* The error names the field and the value. Any thread. */
MUST_CHECK int oci_limits_check(const Runtime__V1__LinuxContainerResources *r, struct error *err);
