// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"

/* layer_check: whether an unpacked layer is on disk as it was when it was recorded. Any thread.
 *
 * folder is <root>/layers/<hex>. Against what was measured when it was unpacked, as far as that was
 * noted: an older Berth noted less. ERROR_DATA_LOSS. */
enum layer_depth {
    LAYER_IS_THERE, /* and has been finished */
    LAYER_NAMES,    /* every name is there, with its size, owner, mode and time */
    LAYER_DATA,     /* and all bytes are what they were: they are read */
};

MUST_CHECK int layer_check(const char *folder, enum layer_depth depth, struct error *err);
