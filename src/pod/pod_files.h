// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "pod/sandbox.h"

/* pod_files: a pod's folder: hostname, hosts and resolv.conf for its containers, and what else
 * lies there. Any thread. */

/* Makes the folder with the three files, which belong to the root of the pod's user namespace, if
 * it has one: dns_config absent copies the host's resolv.conf, present
 * makes one, though it be empty. */
MUST_CHECK int pod_files_create(struct sandbox *s, struct error *err);

/* Unpins the namespaces and takes away /dev/shm, of the pod whose folder dir is. */
MUST_CHECK int pod_files_unmount(const char *dir, struct error *err);

/* Removes the folder with all that is in it. */
MUST_CHECK int pod_files_remove(struct sandbox *s, struct error *err);
