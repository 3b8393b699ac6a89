// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shim/call.h"
#include "shim/poller.h"

/* server: the shim's socket: takes connections and requests in ttrpc frames, hands each request to
 * the service it names, sends what calls answer. Peers must be of our own user. */
enum { SERVER_CONNECTIONS_MAX = 2048, SERVER_ANSWERS_MAX = 1024 * 1024 };

struct shim;

struct server {
    struct shim *shim;
    struct poller *poller;
    struct poller_source listener;
    struct list connections;
    size_t n_connections;
};

/* Takes a listening socket. */
MUST_CHECK int server_init(struct server *s, struct shim *shim, struct poller *p, int listener,
                           struct error *err);

/* Sends an answer; for call.c. */
void server_answer(struct connection *c, uint32_t stream, const struct error *status,
                   const ProtobufCMessage *message);

/* False when the client has closed it; for call.c. */
bool server_has_client(const struct connection *c);

/* Links a call to its connection; for call.c. */
void server_add_call(struct connection *c, struct call *call);
