// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* idmap: where the ids of a user namespace lie among those of the node. Id 0 of the namespace is
 * the first of a range, the others follow it. A value; any thread. */
struct idmap_range {
    uint32_t first;
    uint32_t count;
};

struct idmap {
    struct idmap_range uids; /* count 0: there is no user namespace, ids are the node's */
    struct idmap_range gids; /* likewise, both or none */
};

static inline bool idmap_is_set(const struct idmap *m)
{
    return m->uids.count > 0;
}

static inline bool idmap_is_same(const struct idmap *a, const struct idmap *b)
{
    return a->uids.first == b->uids.first && a->uids.count == b->uids.count &&
           a->gids.first == b->gids.first && a->gids.count == b->gids.count;
}

/* The node's id for one of the namespace. False when the namespace does not have it. */
static inline bool idmap_find(const struct idmap_range *range, uint32_t inside, uint32_t *out)
{
    if (range->count > 0 && inside >= range->count)
        return false;
    *out = range->count > 0 ? range->first + inside : inside;
    return true;
}
