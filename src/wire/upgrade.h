// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "wire/http1.h"

/* upgrade: from an HTTP request to SPDY/3.1 or to WebSocket, with a protocol above it that both
 * ends know. Nothing is kept; any thread. */
enum upgrade_transport { UPGRADE_SPDY, UPGRADE_WEBSOCKET };

enum { UPGRADE_KEY_SIZE = 29 };

/* What the server speaks: static, NULL at the end of each list. */
struct upgrade_protocols {
    const char *const *spdy;
    const char *const *websocket;
};

struct upgrade {
    enum upgrade_transport transport;
    const char
        *protocol; /* one of those that were given; "" for a WebSocket client that named none */
};

/* Appends the response to out in either case: 101, or 400, 403, 405 or 426, after which the
 * connection is to be closed. The first protocol of the client's list that the server speaks is
 * taken. What the client sends after its head belongs to the transport. */
MUST_CHECK int upgrade_answer(const struct http1_request *request,
                              const struct upgrade_protocols *protocols, struct buf *out,
                              struct upgrade *out_upgrade, struct error *err);

/* Sec-WebSocket-Accept for a Sec-WebSocket-Key. */
void upgrade_websocket_accept(const char *key, char out[static UPGRADE_KEY_SIZE]);
