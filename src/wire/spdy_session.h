// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "wire/spdy.h"
#include "wire/spdy_headers.h"
#include "wire/spdy_output.h"
#include "wire/spdy_streams.h"

/* spdy_session: what there is to one SPDY session: spdy.c takes its input apart, spdy_send.c makes
 * its output. For these two. */
enum { SPDY_SESSION_FIXED_MAX = 10 };

struct spdy {
    int state; /* where in a frame: enum frame_state */
    uint8_t collected[SPDY_SESSION_FIXED_MAX];
    size_t n_collected;
    size_t fixed; /* how many bytes of the payload are to be collected */
    size_t left;  /* of the payload */
    uint16_t type;
    uint8_t flags;
    uint32_t stream; /* of the frame; 0 when nobody wants its data */

    struct spdy_headers *headers;
    struct spdy_streams streams;
    uint32_t last_stream; /* the highest that the client has opened */
    size_t n_refused;
    struct spdy_window window; /* of the session */
    int64_t initial_window;    /* of streams to come */
    bool has_windows;          /* the client knows that there are any */
    bool end_is_due;           /* of the frame that has just ended */
    bool goaway_sent;
    bool failed;
    struct spdy_output out;
};

/* len bytes of this window are taken, and the client is told when it is worth it; stream 0 is the
 * session. */
void spdy_session_taken(struct spdy *s, struct spdy_window *w, uint32_t stream, size_t len);
