// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"

/* tree_tar: an unpacked layer as the tar archive of one.
 *
 * Names are sorted and whiteouts are what image layers have for them, so the same folder makes the
 * same bytes, though not those of the archive it was unpacked from: the order, and what unpacking
 * leaves out, are lost. Sockets, attributes that unpacking would not set, and the folder itself are
 * left out. Any thread, for a folder that does not change. */
typedef int tree_tar_write(void *sink, const void *data, size_t len, struct error *err);

MUST_CHECK int tree_tar(const char *folder, tree_tar_write *write, void *sink, struct error *err);
