// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "wire/grpc_frame.h"

/* grpc_client: the client's end of one connection that speaks gRPC over HTTP/2, without I/O.
 *
 * One call at a time: start, then receive and transmit until it is over, then its status. Owned by
 * its connection; one thread at a time. */
struct grpc_client;

/* Called inside receive for every message of the response; the bytes live until it returns. -1
 * cancels the call and becomes its status. */
typedef int grpc_client_message(void *data, const void *bytes, size_t len, struct error *err);

MUST_CHECK struct grpc_client *grpc_client_new(size_t message_max, grpc_client_message *message,
                                               void *data, struct error *err);
void grpc_client_free(struct grpc_client *c);

/* path is "/package.Service/Method"; timeout_ns is -1 for none. ERROR_UNAVAILABLE when the server
 * takes no more calls on this connection. */
MUST_CHECK int grpc_client_start(struct grpc_client *c, const char *path, struct grpc_frame *taken,
                                 int64_t timeout_ns, struct error *err);

/* Ends the call, if there is one, with that status. */
void grpc_client_cancel(struct grpc_client *c, const struct error *status);

/* Takes all bytes. It fails when the server does not speak HTTP/2. */
MUST_CHECK int grpc_client_receive(struct grpc_client *c, const void *data, size_t len,
                                   struct error *err);

/* The next bytes to send, valid until the next call of any verb; 0 when there are none. */
MUST_CHECK ssize_t grpc_client_transmit(struct grpc_client *c, const uint8_t **out,
                                        struct error *err);

/* The call has its status. */
bool grpc_client_is_over(const struct grpc_client *c);

/* How the call that is over ended. */
MUST_CHECK int grpc_client_status(const struct grpc_client *c, struct error *err);
