// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy_streams.h"

#include <assert.h>
#include <string.h>

#include "base/own.h"

void spdy_streams_fini(struct spdy_streams *s)
{
    free(s->items);
    *s = (struct spdy_streams){0};
}

struct spdy_stream *spdy_streams_find(const struct spdy_streams *s, uint32_t id)
{
    size_t low = 0, high = s->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->items[middle].id == id)
            return &s->items[middle];
        if (s->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct spdy_stream *spdy_streams_add(struct spdy_streams *s, uint32_t id)
{
    assert(s->len == 0 || s->items[s->len - 1].id < id);
    if (s->len == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 8;
        s->items = xrealloc(s->items, s->cap * sizeof *s->items);
    }
    s->items[s->len] = (struct spdy_stream){.id = id};
    return &s->items[s->len++];
}

void spdy_streams_remove(struct spdy_streams *s, struct spdy_stream *stream)
{
    size_t behind = (size_t)(s->items + s->len - (stream + 1));

    memmove(stream, stream + 1, behind * sizeof *stream);
    s->len--;
}
