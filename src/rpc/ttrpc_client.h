// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "os/deadline.h"

/* ttrpc_client: one ttrpc call to a shim, on a connection of its own.
 *
 * A connection per call costs tens of microseconds and needs no state: whoever restarts simply
 * calls. Follows the ttrpc protocol page. Any thread. */
struct ttrpc_call {
    const char *socket; /* path of the unix socket; may be longer than sun_path */
    const char *service;
    const char *method;
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *response; /* NULL: what comes back is not looked at */
    const int *fds;                             /* passed along with the request (SCM_RIGHTS) */
    size_t n_fds;
};

/* Sends the request and waits for its response, unpacked into the arena and put in out (which may
 * be NULL when call->response is). A status other than OK fails with its code and message;
 * ERROR_UNAVAILABLE when nobody listens or the connection breaks. */
MUST_CHECK int ttrpc_client_call(const struct ttrpc_call *call, struct arena *arena,
                                 const struct deadline *by, ProtobufCMessage **out,
                                 struct error *err);

/* The same in two parts, for an answer that is long in coming. Begin sends the request and returns
 * a descriptor that is readable when finish would not block; to close it instead is to give up. */
MUST_CHECK int ttrpc_client_begin(const struct ttrpc_call *call, const struct deadline *by,
                                  struct error *err);
/* Takes the descriptor. */
MUST_CHECK int ttrpc_client_finish(int begun, const struct ttrpc_call *call, struct arena *arena,
                                   const struct deadline *by, ProtobufCMessage **out,
                                   struct error *err);
