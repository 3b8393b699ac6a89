// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/strv.h"

/* pins: names of images that the kubelet is not to remove when the disk gets full.
 *
 * A pattern is a name, which is normalised, or has an asterisk at its end or at both ends:
 * "registry.k8s.io/pause:*", "*pause*". Any thread. */

/* names are normalised. */
bool pins_match(const struct strv *patterns, const struct strv *names);
