// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"

/* blob: manifests, indexes and configurations, kept by their digest.
 *
 * On disk they are <root>/content/blobs/<algorithm>/<hex>, mode 0444 and never changed; one that is
 * being written is in <root>/content/ingest. Any thread. */

/* Makes the folders and removes what dead runs left in ingest. */
MUST_CHECK int blob_prepare(const char *root, struct error *err);

/* Verifies the bytes and keeps them: they are on disk when it returns 0. One that is there already
 * is fine. ERROR_PRECONDITION when the digest is not theirs. */
MUST_CHECK int blob_store(const char *root, const char *digest, const void *data, size_t len,
                          struct error *err);
