// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/spdy_window.h"

/* spdy_streams: the streams of one SPDY session, by number. Memory of the session,
 * zero-initialised.
 *
 * Clients number theirs upwards, so an array stays sorted by adding at its end. */
struct spdy_stream {
    uint32_t id;
    bool accepted;
    bool finished; /* we send no more */
    bool ended;    /* the client sends no more */
    struct spdy_window window;
    void *user;
};

struct spdy_streams {
    struct spdy_stream *items;
    size_t len;
    size_t cap;
};

void spdy_streams_fini(struct spdy_streams *s);

/* Until the next add or remove; NULL when there is none. */
struct spdy_stream *spdy_streams_find(const struct spdy_streams *s, uint32_t id);

/* Above all that are there. */
struct spdy_stream *spdy_streams_add(struct spdy_streams *s, uint32_t id);
void spdy_streams_remove(struct spdy_streams *s, struct spdy_stream *stream);
