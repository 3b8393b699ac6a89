// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/error.h"
#include "os/deadline.h"

/* rpc_client: a blocking gRPC client on a unix socket, for berthctl, tests and benchmarks.
 *
 * One connection, one call at a time, one thread. */
struct rpc_client;

/* ERROR_UNAVAILABLE when nobody listens on path. */
MUST_CHECK struct rpc_client *rpc_client_open(const char *path, struct error *err);
void rpc_client_close(struct rpc_client *c);

/* One unary call; service is the descriptor, method its name in the .proto file. The response is
 * unpacked into the arena. A status other than OK fails with its code and message. */
MUST_CHECK ProtobufCMessage *rpc_client_call(struct rpc_client *c,
                                             const ProtobufCServiceDescriptor *service,
                                             const char *method, const ProtobufCMessage *request,
                                             struct arena *arena, const struct deadline *by,
                                             struct error *err);

/* A server-streaming call: each is called for every message, which lives until each returns.
 * each stops the call by returning -1, with the reason in err. */
MUST_CHECK int rpc_client_stream(struct rpc_client *c, const ProtobufCServiceDescriptor *service,
                                 const char *method, const ProtobufCMessage *request,
                                 int (*each)(void *data, const ProtobufCMessage *message,
                                             struct error *err),
                                 void *data, const struct deadline *by, struct error *err);
