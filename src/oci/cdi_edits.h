// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/strv.h"
#include "oci/cdi_cache.h"

/* cdi_edits: what devices of the Container Device Interface change in a container's specification.
 *
 * In the order in which the devices are asked for; before the first device of a file comes what the
 * file says for all of its devices. Memory of the caller, zero-initialised; one thread at a time.
 */
struct cdi_edits {
    struct cdi_catalog *catalog; /* a reference: it owns the items */
    struct json_object **items;  /* containerEdits */
    size_t n;
};

void cdi_edits_fini(struct cdi_edits *e);

/* By their full names. The error names all that are not there. */
MUST_CHECK int cdi_edits_choose(struct cdi_cache *cache, const struct strv *names,
                                struct cdi_edits *out, struct error *err);

/* All edits of spec but its mounts. Reads the numbers of device nodes that the file does not tell
 * from the nodes of the host. */
MUST_CHECK int cdi_edits_apply(const struct cdi_edits *e, struct json_object *spec,
                               struct error *err);

/* The mounts, each in place of one with the same destination; then all are put in order, places
 * with fewer parts first. */
void cdi_edits_apply_mounts(const struct cdi_edits *e, struct json_object *spec);

/* Whether network devices are to be moved into the container, which few OCI runtimes can. */
bool cdi_edits_have_net_devices(const struct cdi_edits *e);
