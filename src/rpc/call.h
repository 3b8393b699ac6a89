// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/error.h"
#include "os/deadline.h"

/* rpc_call: one gRPC request while its handler runs.
 *
 * It belongs to the server and lives until the handler returns. Only the handler's thread uses it.
 */
struct rpc_call;

/* Memory for the response; freed when the response is on its way. */
struct arena *rpc_call_arena(struct rpc_call *call);

/* From grpc-timeout; called off when the client cancels the call or its connection ends. */
const struct deadline *rpc_call_deadline(struct rpc_call *call);

/* Server-streaming methods only: sends one message. Blocks while the client is slow.
 * ERROR_CANCELLED or ERROR_DEADLINE when nobody waits for it any more. */
MUST_CHECK int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message,
                             struct error *err);
