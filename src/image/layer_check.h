// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"

/* layer_check: whether an unpacked layer is on disk as it was when it was recorded. Any thread.
 *
 * folder is <root>/layers/<hex>. Without closely, that it is there and has been finished; else also
 * that it has as many files as it had, with as many bytes in all: what a power cut takes away, when
 * a disk has not kept what it was told to, is the ends of files or files. ERROR_DATA_LOSS. */
MUST_CHECK int layer_check(const char *folder, bool closely, struct error *err);
