// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "wire/input.h"
#include "wire/spdy.h"
#include "wire/upgrade.h"

/* mux: the connection of one client, and the streams in it, whichever the transport is: SPDY, the
 * channels of a WebSocket, or SPDY in the messages of a WebSocket.
 *
 * Streams are the ids of SPDY or the numbers of channels; the latter are there from the start. The
 * owner polls the descriptor for mux_events(), gives what poll said to mux_serve(), and takes
 * events for as long as it has room for their data: not to take them is the back-pressure for the
 * client. Memory is bounded. One thread at a time. */
struct mux;

enum { MUX_INPUT_MAX = 32 * 1024 }; /* no event has more data than this */

enum mux_transport { MUX_SPDY, MUX_CHANNELS, MUX_TUNNEL };

enum mux_event_type {
    MUX_MORE,   /* nothing is left of what was received */
    MUX_OPENED, /* a stream, to be accepted or reset; SPDY only */
    MUX_DATA,
    MUX_ENDED, /* the client sends no more on it */
    MUX_RESET, /* the client wants no more of it */
    MUX_GONE,  /* the client has left, or breaks the protocol */
};

struct mux_event {
    enum mux_event_type type;
    uint32_t stream;
    void *user;          /* mux_set_user(); SPDY only */
    const uint8_t *data; /* until the next call of any verb */
    size_t len;
    struct spdy_event opened; /* its headers */
};

/* Takes the socket, which does not block. rest is what came behind the request. */
MUST_CHECK struct mux *mux_new(int fd, enum mux_transport transport, const char *protocol,
                               const struct input *rest);
void mux_free(struct mux *m);
DEFINE_AUTO(mux)

int mux_fd(const struct mux *m);

/* What to poll for. With takes the owner has room for data; without, only the end of the client is
 * looked for. */
short mux_events(const struct mux *m, bool takes);
void mux_serve(struct mux *m, short revents);

/* What was received, one event at a time. */
void mux_next(struct mux *m, struct mux_event *out);

/* How many bytes mux_send() takes whole; 0: none before the socket has taken some, or the client
 * opens the stream's window. */
size_t mux_room(const struct mux *m, uint32_t stream);
/* Returns how much was taken: mux_room() of it, or everything when nobody wants it any more. */
size_t mux_send(struct mux *m, uint32_t stream, const void *data, size_t len);

/* len bytes of MUX_DATA of this stream are where they belong, or thrown away. */
void mux_taken(struct mux *m, uint32_t stream, size_t len);

void mux_set_user(struct mux *m, uint32_t stream, void *user); /* SPDY only, as the next three */
void mux_accept(struct mux *m, uint32_t stream);
void mux_finish(struct mux *m, uint32_t stream); /* we send no more on it */
void mux_reset(struct mux *m, uint32_t stream);
void mux_refuse(struct mux *m, uint32_t stream);    /* likewise; it should not have been opened */
bool mux_has(const struct mux *m, uint32_t stream); /* SPDY only; false else */

/* True for channels: nobody opens them. */
bool mux_streams_are_fixed(const struct mux *m);

bool mux_is_gone(const struct mux *m);

/* How the client broke the protocol; NULL: it did not. */
const char *mux_fault(const struct mux *m);

/* How many streams were refused. */
size_t mux_refused(const struct mux *m);

/* Says goodbye, sends what is left for as long as the client takes it, and waits a little for it to
 * close the connection, which otherwise might cost it our last bytes. Waits no longer once stop_fd
 * is readable. */
void mux_close(struct mux *m, int stop_fd, const struct error *why);
