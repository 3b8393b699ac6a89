// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pod/sandbox.h"

/* sandbox_selinux: the SELinux level of a pod, which its containers share.
 *
 * It is in the pod's record as the level of its selinux_options: what the client left open is
 * filled in, so that the record tells after a restart which levels are in use. */

/* Checks the options and, where SELinux is enabled, takes a level for a pod that brings none. The
 * pod is nobody else's yet. */
MUST_CHECK int sandbox_selinux_assign(struct sandbox *s, struct error *err);

/* For a pod from its record. */
void sandbox_selinux_hold(struct sandbox *s);

/* Once, when the pod is gone. */
void sandbox_selinux_release(struct sandbox *s);

/* May be NULL. */
const Runtime__V1__SELinuxOption *sandbox_selinux_options(const struct sandbox *s);
