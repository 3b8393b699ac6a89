// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "wire/input.h"

/* websocket: the server's end of one WebSocket connection (RFC 6455) after its handshake, without
 * I/O.
 *
 * Messages pass through in pieces and are never held, so they may be of any length; fragments and
 * control frames in between do not show. Pings are answered here. Whoever does not take its
 * input is the back-pressure for the client; websocket_room() is that for ourselves. One thread at
 * a time. */
struct websocket;

enum {
    WEBSOCKET_OUT_MAX = 128 * 1024,    /* bytes of messages that wait for the socket */
    WEBSOCKET_MESSAGE_MAX = 32 * 1024, /* what is sent in one message */
    WEBSOCKET_FRAME_MAX = 1 << 30,     /* longer ones are refused */
    WEBSOCKET_CONTROL_MAX = 125,
};

enum websocket_opcode { WEBSOCKET_TEXT = 1, WEBSOCKET_BINARY = 2 };

enum websocket_code {
    WEBSOCKET_NORMAL = 1000,
    WEBSOCKET_GOING_AWAY = 1001,
    WEBSOCKET_PROTOCOL_ERROR = 1002,
    WEBSOCKET_UNSUPPORTED = 1003,
    WEBSOCKET_NO_CODE = 1005, /* never on the wire: a close frame without a code */
    WEBSOCKET_BAD_DATA = 1007,
    WEBSOCKET_POLICY = 1008,
    WEBSOCKET_TOO_BIG = 1009,
    WEBSOCKET_INTERNAL = 1011,
};

enum websocket_event_type {
    WEBSOCKET_MORE,   /* all input is used up */
    WEBSOCKET_DATA,   /* a piece of a message, perhaps of no bytes */
    WEBSOCKET_CLOSED, /* the client has closed; its close frame is answered */
};

struct websocket_event {
    enum websocket_event_type type;
    enum websocket_opcode opcode; /* DATA */
    bool begins;                  /* DATA: the first piece of a message */
    bool ends;                    /* DATA: its last */
    const uint8_t *data;          /* DATA: in the caller's input */
    size_t len;
    unsigned code; /* CLOSED */
};

MUST_CHECK struct websocket *websocket_new(void);
void websocket_free(struct websocket *w);
DEFINE_AUTO(websocket)

/* Takes bytes from the front of in until there is an event. -1: the client breaks the protocol or
 * does not read what it asks for; a close frame with the code that fits waits in the output, and
 * there is nothing more to be taken. After CLOSED or -1 all input is thrown away. */
MUST_CHECK int websocket_next(struct websocket *w, struct input *in, struct websocket_event *out,
                              struct error *err);

/* How many bytes of messages may be added now; 0: not before some are transmitted. */
size_t websocket_room(const struct websocket *w);

/* Adds the frame of a message of len bytes (at most websocket_room() and WEBSOCKET_MESSAGE_MAX) and
 * returns where they are to be written at once. NULL when the connection is being closed. */
uint8_t *websocket_add(struct websocket *w, enum websocket_opcode opcode, size_t len);

/* Adds messages with as much of data as there is room for and returns how much that was. When the
 * connection is being closed that is everything: nobody wants it any more. */
size_t websocket_send(struct websocket *w, enum websocket_opcode opcode, const void *data,
                      size_t len);

/* Adds a close frame, the last that is ever sent; only the first one counts. */
void websocket_close(struct websocket *w, enum websocket_code code, const char *reason);

/* A ping of our own, so that a dead peer is noticed; its pong is not told. */
void websocket_ping(struct websocket *w);

/* The bytes to send, valid until the next call of any verb; then how many of them are sent. */
size_t websocket_transmit(const struct websocket *w, const uint8_t **out);
void websocket_transmitted(struct websocket *w, size_t len);

/* Close frames went both ways and nothing waits: the socket may be closed. */
bool websocket_is_done(const struct websocket *w);
