// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "wire/grpc_stream.h"

/* grpc_server: the server's end of one connection that speaks gRPC over HTTP/2, without I/O.
 *
 * Bytes of the client go in, events come out; responses go in, bytes for the client come out. What
 * is no proper request is answered here. Owned by its connection; one thread at a time. Events are
 * called inside receive and transmit, and may send and finish but not free. */
struct grpc_server;

enum {
    GRPC_SERVER_STREAM_WINDOW = 1024 * 1024, /* bytes of a request that may be on their way */
    GRPC_SERVER_CONNECTION_WINDOW = 4 * 1024 * 1024,
};

struct grpc_server_limits {
    size_t message_max;
    size_t held_max; /* all requests and responses of the connection that are in memory */
    uint32_t streams_max;
};

struct grpc_server_events {
    /* A whole request is there: request.path, request.timeout_ns, and message.body, whose contents
     * may be taken. Whoever wants the other events sets user. */
    void (*requested)(void *data, struct grpc_stream *stream);
    /* That many bytes of frames are not held any more: they go out with the next transmit. */
    void (*sent)(void *data, void *user, size_t len);
    /* The stream is gone: finished, cancelled or broken. */
    void (*closed)(void *data, void *user);
};

MUST_CHECK struct grpc_server *grpc_server_new(const struct grpc_server_limits *limits,
                                               const struct grpc_server_events *events, void *data,
                                               struct error *err);
/* No events come out of it. */
void grpc_server_free(struct grpc_server *s);

/* Takes all bytes. It fails when the client does not speak HTTP/2: then the connection ends. */
MUST_CHECK int grpc_server_receive(struct grpc_server *s, const void *data, size_t len,
                                   struct error *err);

/* The next bytes to send, valid until the next call of any verb; 0 when there are none, -1 as
 * above. */
MUST_CHECK ssize_t grpc_server_transmit(struct grpc_server *s, const uint8_t **out,
                                        struct error *err);

/* Nothing will be read or written any more: after GOAWAY and the last stream. */
bool grpc_server_is_done(const struct grpc_server *s);

/* Tells the client to open no more streams: GOAWAY, a PING for those on their way, GOAWAY. */
void grpc_server_drain(struct grpc_server *s);
