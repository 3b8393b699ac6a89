// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "base/strv.h"

/* export: an image of the store as an archive that other tools read: an OCI image layout, with the
 * list that "docker load" wants beside it.
 *
 * Compressed layers are not kept, so the archive's layers are made anew from the unpacked ones, and
 * its configuration, and with that its id, differ from those that were pulled. Each layer is read
 * twice, once for its digest; nothing is held but one layer's names. Blocks. */
struct export_spec {
    const char *root;
    const char *config;           /* digest of the configuration */
    const struct strv *chain_ids; /* of the layers, lowest first */
    const char *name;             /* of the image in the archive, or "" */
    int output;                   /* a file or pipe, written from where it stands */
};

/* Sends progress and, at the end, the event "exported". */
MUST_CHECK int export_run(const struct export_spec *e, struct error *err);
