// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

/* map: from strings to pointers, an open-addressing hash table that grows.
 *
 * It copies the keys and does not own the values. Memory of the caller, zero-initialised; whoever
 * owns it brings the lock. */
struct map_slot {
    char *key; /* NULL: free */
    void *value;
    size_t hash;
};

struct map {
    struct map_slot *slots;
    size_t cap; /* a power of two, or 0 */
    size_t len;
};

void map_fini(struct map *m);

/* NULL when there is none. */
void *map_find(const struct map *m, const char *key);

/* Sets or replaces; returns the value that was there, or NULL. */
void *map_put(struct map *m, const char *key, void *value);

/* Returns the value that was removed, or NULL. */
void *map_remove(struct map *m, const char *key);

/* Walks all entries in no order: size_t at = 0; while ((slot = map_next(m, &at))) ...
 * The map must not change during the walk. */
const struct map_slot *map_next(const struct map *m, size_t *at);
