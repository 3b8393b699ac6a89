// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/loop.h"
#include "os/pool.h"
#include "rpc/call.h"

/* rpc_server: gRPC over HTTP/2 on a unix socket.
 *
 * The loop's thread moves the bytes of all connections; each request runs on a thread of the pool,
 * but for brief ones.
 * Limits: RPC_MESSAGE_MAX per message, RPC_STREAMS_MAX requests at once on a connection,
 * RPC_CONNECTIONS_MAX connections, 64 KiB of headers. Follows the gRPC over HTTP/2 protocol page:
 * trailers-only errors, percent-encoded grpc-message, grpc-timeout, RST_STREAM as cancellation. */
enum {
    RPC_MESSAGE_MAX = 16 * 1024 * 1024,
    RPC_STREAMS_MAX = 1000,
    RPC_CONNECTIONS_MAX = 256,
    RPC_BRIEF_MAX = 4096,           /* bytes of a request */
    RPC_BRIEF_NS = 2 * 1000 * 1000, /* for all brief requests that were read at once */
};

struct rpc_server;

/* Fills in response (made in the call's arena, with defaults), or returns -1 with the status in
 * err. A handler of a streaming method sends its messages itself and leaves response alone. */
typedef int rpc_handler(struct rpc_call *call, void *data, const ProtobufCMessage *request,
                        ProtobufCMessage *response, struct error *err);

struct rpc_method {
    const char *name; /* as in the .proto file */
    rpc_handler *serve;
    bool streams; /* server-streaming */
};

/* Whether a request is brief: its handler does a little work in memory, and waits for nothing but
 * locks that are held for such work only. Brief requests are served on the loop's thread, at once,
 * which spares them two changes of threads; all others have a thread of the pool. Called on the
 * loop's thread, with the handler's data. */
typedef bool rpc_is_brief(void *data, const ProtobufCMessage *request);

struct rpc_server_options {
    struct loop *loop;
    struct pool *pool;
    /* Told after each request, on the thread that served it; may be NULL. */
    void (*observe)(void *data, const char *method, const struct error *outcome,
                    int64_t duration_ns);
    void *observe_data;
};

MUST_CHECK struct rpc_server *rpc_server_new(const struct rpc_server_options *options,
                                             struct error *err);

/* Serves methods of a service; methods is kept, not copied, and ends with a NULL name. Methods of
 * the service that are not in it answer UNIMPLEMENTED with their name. Before listening only. */
void rpc_server_add(struct rpc_server *s, const ProtobufCServiceDescriptor *service,
                    const struct rpc_method *methods, void *data);

/* Says which requests of a served unary method are brief. Before listening only. Those that are
 * longer than RPC_BRIEF_MAX, or come when brief ones have taken RPC_BRIEF_NS of what was read at
 * once, go to the pool all the same, so that nobody can hold up the loop. */
void rpc_server_add_brief(struct rpc_server *s, const ProtobufCServiceDescriptor *service,
                          const char *method, rpc_is_brief *is_brief);

/* Binds a unix socket, replacing a dead one; ERROR_EXISTS when somebody listens there already.
 * Creates the folder (0755) when it is missing. */
MUST_CHECK int rpc_server_listen(struct rpc_server *s, const char *path, mode_t mode,
                                 struct error *err);

/* Stops accepting, sends GOAWAY, lets running requests end (streaming ones are called off), and
 * calls done on the loop's thread when the last connection is gone or after grace_ms. */
void rpc_server_drain(struct rpc_server *s, int64_t grace_ms, void (*done)(void *data), void *data);

/* Whether handlers are still running: rpc_server_free() would wait for them. */
bool rpc_server_is_busy(const struct rpc_server *s);

/* After the loop has stopped. */
void rpc_server_free(struct rpc_server *s);
