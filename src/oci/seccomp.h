// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdint.h>

#include "oci/host.h"

/* seccomp: which system calls a container may make. Any thread. */

enum { OCI_SECCOMP_PROFILE_MAX = 1024 * 1024 };

/* The default profile as OCI runtimes take it, for that bounding set. The caller puts it away. */
struct json_object *oci_seccomp_default(const struct oci_host *host, uint64_t capabilities);
