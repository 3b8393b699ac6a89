// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "wire/input.h"

/* spdy: the server's end of one SPDY/3.1 session, without I/O.
 *
 * Only clients open streams. Pings are answered here.
 *
 * Flow control: Go's spdystream, in kubectl, kubelet and crictl, knows no windows; it never sends
 * WINDOW_UPDATE, ignores ours, and sends beyond any window. So whoever does not take its input is
 * the last resort against a client, and its windows count from when it says something about them.
 * We tell it what was taken: of a stream when the owner says so, by spdy_taken(); of the session at
 * once, as one slow stream must not hold up the others.
 * Memory is about 45 KB, the window of zlib mostly. One thread at a time. */
struct spdy;

enum {
    SPDY_OUT_MAX = 128 * 1024,  /* bytes of data frames that wait for the socket */
    SPDY_DATA_MAX = 32 * 1024,  /* what is sent in one frame */
    SPDY_BLOCK_MAX = 16 * 1024, /* one block of headers, uncompressed */
    SPDY_HEADERS_MAX = 64,
    SPDY_STREAMS_MAX = 2048, /* at once; a forwarded connection takes two */
};

enum spdy_status {
    SPDY_PROTOCOL_ERROR = 1,
    SPDY_INVALID_STREAM = 2,
    SPDY_REFUSED_STREAM = 3,
    SPDY_CANCEL = 5,
    SPDY_INTERNAL_ERROR = 6,
};

enum spdy_event_type {
    SPDY_MORE,   /* all input is used up */
    SPDY_OPENED, /* a stream with its headers: to be answered by accept or reset */
    SPDY_DATA,   /* bytes of a stream, at least one */
    SPDY_ENDED,  /* the client sends no more on this stream */
    SPDY_RESET,  /* the client has torn this stream down: it is gone */
    SPDY_GOAWAY, /* the client opens no more streams */
};

struct spdy_header {
    const char *name;
    const char *value; /* values of the same name follow each other, each with its NUL */
    size_t value_len;
};

struct spdy_event {
    enum spdy_event_type type;
    uint32_t stream;
    void *user;          /* that of the stream: spdy_set_user() */
    const uint8_t *data; /* DATA: in the caller's input */
    size_t len;
    uint32_t status;                   /* RESET */
    const struct spdy_header *headers; /* OPENED: until the next spdy_next() */
    size_t n_headers;
};

MUST_CHECK struct spdy *spdy_new(void);
void spdy_free(struct spdy *s);
DEFINE_AUTO(spdy)

/* Takes bytes from the front of in until there is an event; to be asked until SPDY_MORE, also when
 * in is empty, as the end of a stream may be due behind its last bytes. -1: the client breaks the
 * protocol or does not read what it asks for; GOAWAY waits in the output, and nothing more is to be
 * taken. */
MUST_CHECK int spdy_next(struct spdy *s, struct input *in, struct spdy_event *out,
                         struct error *err);

/* The first value of a header (any case), or NULL. */
const char *spdy_event_find(const struct spdy_event *event, const char *name);

/* Streams are gone after a reset by either end, or when both ends have finished. To a stream that
 * is gone every verb is a no-op. */
void spdy_set_user(struct spdy *s, uint32_t stream, void *user);
void spdy_accept(struct spdy *s, uint32_t stream);
void spdy_finish(struct spdy *s, uint32_t stream); /* we send no more on it */
void spdy_reset(struct spdy *s, uint32_t stream, enum spdy_status status);
bool spdy_has(const struct spdy *s, uint32_t stream);
size_t spdy_streams(const struct spdy *s); /* how many there are */
size_t spdy_refused(const struct spdy *s); /* and how many were too many */

/* How many bytes spdy_send() takes whole now, in one frame; 0: none before some are transmitted, or
 * the client opens its window. A stream that is gone has room for anything. */
size_t spdy_room(const struct spdy *s, uint32_t stream);

/* len bytes of DATA of this stream need no memory any more. */
void spdy_taken(struct spdy *s, uint32_t stream, size_t len);

/* Adds frames with as much of data as there is room for and returns how much that was; for a stream
 * that is gone or finished everything: nobody wants it any more. */
size_t spdy_send(struct spdy *s, uint32_t stream, const void *data, size_t len);

/* The last thing to be said: Go's client takes nothing that comes after it. Streams that are opened
 * later are refused. */
void spdy_goaway(struct spdy *s);

/* The bytes to send, valid until the next call of any verb; then how many of them are sent. */
size_t spdy_transmit(const struct spdy *s, const uint8_t **out);
void spdy_transmitted(struct spdy *s, size_t len);
