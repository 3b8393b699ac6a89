// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "rpc/outbox.h"
#include "rpc/route.h"
#include "rpc/server.h"

/* rpc_connection: one client of the server.
 *
 * It closes itself when the client is gone, speaks no HTTP/2, or has been drained. The loop's
 * thread. */
struct rpc_connection;

enum {
    RPC_CONNECTION_READ = 64 * 1024,
    RPC_CONNECTION_HELD_MAX = 16 * RPC_MESSAGE_MAX, /* requests and responses in memory */
};

/* What the connections of a server share. */
struct rpc_connections {
    struct rpc_server_options options;
    struct rpc_routes routes;
    struct rpc_outbox outbox;
    struct list all;
    struct list dirty; /* have something to send */
    size_t n;
    size_t n_calls;         /* whose handlers are not finished, their connections gone or not */
    int64_t brief_ns;       /* that brief requests took of what was read at once */
    bool draining;          /* what comes now is called off if it streams */
    struct buf out;         /* for one round of gathering */
    char *in;               /* for one round of reading: RPC_CONNECTION_READ bytes */
    void (*ended)(void *s); /* a connection or a call is gone */
    void *server;
};

void rpc_connection_init_all(struct rpc_connections *all, const struct rpc_server_options *options);

/* Calls off what runs, waits for the handlers, and closes. The loop does not run any more. */
void rpc_connection_fini_all(struct rpc_connections *all);

/* Serves a client on a non-blocking socket, which is taken even on failure. */
MUST_CHECK int rpc_connection_open(struct rpc_connections *all, int fd, struct error *err);

/* Announces the end to all clients, and calls off what streams. */
void rpc_connection_drain_all(struct rpc_connections *all);
