// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/strv.h"

/* layer_refs: who needs which unpacked layer, and the removal of those that nobody needs.
 *
 * Counts are in memory only: images and containers take theirs again when the daemon starts, and
 * fetches hold what they are about. Any thread. */
struct layer_refs;

struct layer_refs *layer_refs_new(const char *root);
void layer_refs_free(struct layer_refs *r);

void layer_refs_hold(struct layer_refs *r, const char *chain_id);

/* Removes the folder when this was the last one. */
void layer_refs_release(struct layer_refs *r, const char *chain_id);

/* The folder stays, until layer_refs_collect(). */
void layer_refs_let_go(struct layer_refs *r, const char *chain_id);

/* Removes the folder whoever holds it: what is in it is of no use to anybody. */
void layer_refs_discard(struct layer_refs *r, const char *chain_id);

/* Removes every folder without a holder that got its name so many seconds ago or earlier. */
void layer_refs_collect(struct layer_refs *r, int64_t min_age_s);

/* <root>/layers/<hex>; the caller frees. */
char *layer_refs_path(const struct layer_refs *r, const char *chain_id);
