// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "cri.pb-c.h"

/* lost_record: what is left of a pod or a container whose record cannot be read: its id, its shim
 * and its name, which stand beside the client's configuration. That is enough to list, stop and
 * remove it, so that nothing that runs is ever forgotten. Any thread; the caller frees the result
 * with message_free(). */

/* From "<name>_<namespace>_<uid>_<attempt>". */
Runtime__V1__PodSandboxConfig *lost_record_pod(const char *name);

/* From "<name>_<pod name>_<namespace>_<uid>_<attempt>". */
Runtime__V1__ContainerConfig *lost_record_container(const char *name);
