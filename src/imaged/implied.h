// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"

/* implied: folders that a layer has only because of what is in them.
 *
 * Overlayfs shows the uppermost folder's owner and mode, so such a folder must look like the one it
 * covers: /tmp stays 1777 when a layer brings nothing but tmp/x. Any thread. */

/* Gives each folder, by its path below fs, owner, mode, times and attributes of the nearest lower
 * layer's folder with that path. lowers are the folders of layers, the lowest first. */
MUST_CHECK int implied_inherit(int fs, const struct strv *paths, const struct strv *lowers,
                               struct error *err);
