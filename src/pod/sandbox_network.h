// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "os/deadline.h"
#include "pod/sandbox.h"

/* sandbox_network: a pod's place in the pod networks, through CNI. Pods on the host's network have
 * none. Any thread. */

/* Attaches and sets the pod's addresses. */
MUST_CHECK int sandbox_network_attach(struct sandbox *s, const struct deadline *by,
                                      struct error *err);

/* Detaches and closes the network: the pod has no addresses from then on. Can be repeated. Where
 * nothing is in the way but a plugin that is not installed, the rest is left for later
 * (pod/left_network.h). */
MUST_CHECK int sandbox_network_detach(struct sandbox *s, struct error *err);

/* The plugins' part of it. record is what attaching left, or NULL when it did not come so far.
 * ERROR_UNIMPLEMENTED when only plugins that are not installed are in the way. */
MUST_CHECK int sandbox_network_take_down(struct sandbox *s, const char *record, struct error *err);
