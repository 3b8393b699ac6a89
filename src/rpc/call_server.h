// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/list.h"
#include "os/deadline.h"
#include "rpc/call.h"
#include "rpc/outbox.h"
#include "rpc/route.h"
#include "rpc/server.h"
#include "wire/grpc_stream.h"

/* rpc_call, as the server sees it.
 *
 * The loop's thread makes it when a request is whole. A brief one it serves itself, others it gives
 * to the pool. The handler's thread gives it back through the outbox, finished, and the loop's
 * thread frees it. The connection may be gone by then, and the stream too. */
enum {
    RPC_CALL_QUEUE_MAX = 256 * 1024, /* sent by the handler and not yet taken by the client */
};

struct rpc_connection;

struct rpc_call {
    const struct rpc_server_options *options;
    const struct rpc_route *route;
    struct rpc_outbox *outbox;
    int64_t began_ns;

    /* The loop's thread. */
    struct list link;                  /* in its connection */
    struct rpc_connection *connection; /* NULL: gone */
    struct grpc_stream *stream;        /* NULL: gone */

    /* The handler's thread, until it is finished. */
    struct buf request;
    ProtobufCMessage *unpacked; /* in the arena; NULL before */
    struct arena arena;
    struct error status; /* code ERROR_OK: it went well */

    struct rpc_outbox_slot slot; /* under the outbox's lock */

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t room;
    struct deadline deadline;
    size_t queued;
    bool cancelled;
    bool by_us; /* cancelled because the server is shutting down */
};

/* Moves the body out of the stream. */
struct rpc_call *rpc_call_new(const struct rpc_server_options *options,
                              const struct rpc_route *route, struct rpc_outbox *outbox,
                              struct grpc_stream *stream);
void rpc_call_free(struct rpc_call *call);

/* Serves the call if it is brief, with its response or NULL; its status tells which. False: it is
 * the pool's. The loop's thread. */
bool rpc_call_serve_brief(struct rpc_call *call, struct grpc_frame **out);

/* The pool's job: unpacks, serves, packs, and puts the call into the outbox. */
void rpc_call_run(void *call);

/* Nobody waits for the response any more. Any thread, while the call is not finished. */
void rpc_call_cancel(struct rpc_call *call, bool by_us);

/* That many bytes have left the queue. */
void rpc_call_sent(struct rpc_call *call, size_t len);
