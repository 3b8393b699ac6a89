// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include <string.h>

#include "base/own.h"

enum { FIRST_CAPACITY = 16 };

/* FNV-1a: keys are ids and names, and an attacker who can choose names owns the kubelet anyway. */
static size_t hash_of(const char *key)
{
    size_t hash = 0xcbf29ce484222325u;

    for (; *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    return hash;
}

static struct map_slot *slot_of(const struct map *m, const char *key, size_t hash)
{
    size_t at = hash & (m->cap - 1);

    while (m->slots[at].key && (m->slots[at].hash != hash || strcmp(m->slots[at].key, key) != 0))
        at = (at + 1) & (m->cap - 1);
    return &m->slots[at];
}

static void grow(struct map *m)
{
    struct map bigger = {.cap = m->cap ? m->cap * 2 : FIRST_CAPACITY, .len = m->len};

    bigger.slots = xcalloc(bigger.cap, sizeof *bigger.slots);
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key)
            *slot_of(&bigger, m->slots[i].key, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    *m = bigger;
}

void map_fini(struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    *m = (struct map){0};
}

void *map_find(const struct map *m, const char *key)
{
    return m->cap ? slot_of(m, key, hash_of(key))->value : NULL;
}

void *map_put(struct map *m, const char *key, void *value)
{
    size_t hash = hash_of(key);
    struct map_slot *slot;
    void *old;

    if (m->len * 4 >= m->cap * 3)
        grow(m);
    slot = slot_of(m, key, hash);
    if (!slot->key) {
        slot->key = xstrdup(key);
        slot->hash = hash;
        m->len++;
    }
    old = slot->value;
    slot->value = value;
    return old;
}

/* Closes the gap behind a removed slot, so that no probe sequence is cut. */
static void close_gap(struct map *m, size_t gap)
{
    size_t at = gap;

    for (;;) {
        size_t home;

        at = (at + 1) & (m->cap - 1);
        if (!m->slots[at].key)
            return;
        home = m->slots[at].hash & (m->cap - 1);
        if (((at - home) & (m->cap - 1)) < ((at - gap) & (m->cap - 1)))
            continue;
        m->slots[gap] = m->slots[at];
        m->slots[at] = (struct map_slot){0};
        gap = at;
    }
}

void *map_remove(struct map *m, const char *key)
{
    struct map_slot *slot = m->cap ? slot_of(m, key, hash_of(key)) : NULL;
    void *value;

    if (!slot || !slot->key)
        return NULL;
    value = slot->value;
    free(slot->key);
    *slot = (struct map_slot){0};
    m->len--;
    close_gap(m, (size_t)(slot - m->slots));
    return value;
}

const struct map_slot *map_next(const struct map *m, size_t *at)
{
    while (*at < m->cap) {
        const struct map_slot *slot = &m->slots[(*at)++];

        if (slot->key)
            return slot;
    }
    return NULL;
}
