// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"
#include "cri.pb-c.h"

/* ports: what a pod asks of its networks, as the capability arguments that CNI plugins know. */

/* An object with portMappings, bandwidth, dns, cgroupPath and io.kubernetes.cri.pod-annotations,
 * each only when the pod says something about it. ERROR_INVALID for a bandwidth that is no quantity
 * from 1k to 1P and for ports out of range. The caller puts *out away. */
MUST_CHECK int ports_capabilities(const Runtime__V1__PodSandboxConfig *config,
                                  struct json_object **out, struct error *err);
