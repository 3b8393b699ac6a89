// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/own.h"
#include "wire/input.h"
#include "wire/websocket.h"

/* channels: several byte streams in one WebSocket connection, as Kubernetes does it: the first byte
 * of each message is the number of its channel.
 *
 * In the base64 protocols it is counted from the digit 0, and the rest of the message is base64. In
 * v5 a client closes a channel by a message of 255 and its number; we do not, as Go's client takes
 * that for a channel that it does not know. Like a websocket, it holds no messages. One thread at a
 * time. */
struct channels;

/* The highest channel, and that of the base64 protocols: the number is added to the digit 0. */
enum { CHANNELS_LAST = 254, CHANNELS_BASE64_LAST = 127 - '0' };

enum channels_event_type {
    CHANNELS_MORE,   /* all input is used up */
    CHANNELS_DATA,   /* bytes of a channel, at least one */
    CHANNELS_ENDED,  /* the client has closed this channel (v5) */
    CHANNELS_CLOSED, /* the client has closed the connection; its close frame is answered */
};

struct channels_event {
    enum channels_event_type type;
    unsigned channel;
    const uint8_t *data; /* until the next call of any verb */
    size_t len;
    unsigned code; /* CLOSED: enum websocket_code */
};

/* protocol is the one that was chosen: "v5.channel.k8s.io", "v4.base64.channel.k8s.io", "" ... */
MUST_CHECK struct channels *channels_new(const char *protocol);
void channels_free(struct channels *c);
DEFINE_AUTO(channels)

/* As websocket_next(). */
MUST_CHECK int channels_next(struct channels *c, struct input *in, struct channels_event *out,
                             struct error *err);

/* How many bytes channels_send() takes whole now, in one message; 0: none before some are
 * transmitted. */
size_t channels_room(const struct channels *c);

/* As websocket_send(); a len of 0 sends an empty message, which clients get at the start as a sign
 * of life. */
size_t channels_send(struct channels *c, unsigned channel, const void *data, size_t len);

/* The connection below, for close, ping, transmit and transmitted. Borrowed. */
struct websocket *channels_websocket(struct channels *c);
