// SPDX-License-Identifier: Apache-2.0
#include "image/fetch_log.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/own.h"

struct fetch_log_layer {
    uint64_t done;
    uint64_t total;
};

void fetch_log_init(struct fetch_log *l, const char *verb, const char *name)
{
    int64_t now = clock_monotonic_ns();

    *l = (struct fetch_log){.verb = verb, .name = name, .began_ns = now, .said_ns = now};
}

void fetch_log_fini(struct fetch_log *l)
{
    const struct map_slot *slot;

    for (size_t at = 0; (slot = map_next(&l->layers, &at));)
        free(slot->value);
    map_fini(&l->layers);
}

static void count(struct fetch_log *l, const struct image_progress *p)
{
    struct fetch_log_layer *layer = map_find(&l->layers, p->layer);

    if (!layer) {
        layer = xcalloc(1, sizeof *layer);
        map_put(&l->layers, p->layer, layer);
    }
    l->done += p->done_bytes - layer->done;
    l->total += p->total_bytes - layer->total;
    *layer = (struct fetch_log_layer){p->done_bytes, p->total_bytes};
}

void fetch_log_progress(struct fetch_log *l, const struct image_progress *p)
{
    int64_t now = clock_monotonic_ns();

    count(l, p);
    if (now - l->said_ns < FETCH_LOG_INTERVAL_S * CLOCK_NS_PER_S)
        return;
    l->said_ns = now;
    log_info("%s %s: %llu of %llu bytes in %zu layers, for %lld s", l->verb, l->name,
             (unsigned long long)l->done, (unsigned long long)l->total, l->layers.len,
             (long long)((now - l->began_ns) / CLOCK_NS_PER_S));
}

void fetch_log_done(const struct fetch_log *l, const struct image *i)
{
    int64_t ms = (clock_monotonic_ns() - l->began_ns) / CLOCK_NS_PER_MS;

    log_info("%s %s: %s, %llu bytes in %zu layers, %lld ms", l->verb, l->name, i->id,
             (unsigned long long)i->size, i->n_layers, (long long)ms);
}
