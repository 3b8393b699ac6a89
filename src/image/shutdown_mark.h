// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* shutdown_mark: whether the node went down while berthd was running: a power cut, or a reset.
 *
 * <root>/running has the node's boot id for as long as berthd runs. A daemon that was killed leaves
 * it too, but of the same boot: then nothing that was written is lost. Of one thread. */

/* True when there is a mark of another boot. */
bool shutdown_mark_is_old(const char *root, const char *boot_id);

/* On disk before it returns. */
MUST_CHECK int shutdown_mark_set(const char *root, const char *boot_id, struct error *err);

void shutdown_mark_clear(const char *root);

/* When the database was last written before this boot, in seconds since 1970: the node was up then.
 * 0 when that cannot be known. */
int64_t shutdown_mark_last_sign(const char *root);
