// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/strv.h"

/* layer_refs: who needs which unpacked layer, and the removal of those that nobody needs.
 *
 * Counts are in memory only: images and containers take theirs again when the daemon starts. While
 * a fetch runs (layer_refs_pause) nothing is removed, because it may be about to use a layer that
 * has no owner yet. Any thread. */
struct layer_refs;

struct layer_refs *layer_refs_new(const char *root);
void layer_refs_free(struct layer_refs *r);

void layer_refs_hold(struct layer_refs *r, const char *chain_id);

/* Removes the folder when this was the last one and no fetch runs. */
void layer_refs_release(struct layer_refs *r, const char *chain_id);

/* Removes the folder whoever holds it: what is in it is of no use to anybody. */
void layer_refs_discard(struct layer_refs *r, const char *chain_id);

void layer_refs_pause(struct layer_refs *r);
/* Removes what became free meanwhile when this was the last fetch. */
void layer_refs_resume(struct layer_refs *r);

/* Removes every folder without a holder, unless a fetch runs. */
void layer_refs_collect(struct layer_refs *r);

/* <root>/layers/<hex>; the caller frees. */
char *layer_refs_path(const struct layer_refs *r, const char *chain_id);
