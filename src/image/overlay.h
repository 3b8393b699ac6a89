// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/strv.h"

/* overlay: a read-only overlay of any number of layers, by whichever interface the kernel has.
 *
 * Linux 6.5 takes the layers one by one. Before, they have to fit into one page of mount options,
 * so they are named by the numbers of descriptors, which several hundred do. Layers are paths,
 * lowest first, two at least. Any thread. */

/* Opens its root without a mount that anybody else sees; it goes with the descriptor. */
MUST_CHECK int overlay_open(const struct strv *layers, int *out_fd, struct error *err);

/* Mounts it at target, an empty folder. */
MUST_CHECK int overlay_mount(const struct strv *layers, const char *target, struct error *err);
