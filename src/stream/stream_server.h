// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdint.h>

#include "base/error.h"
#include "os/loop.h"
#include "stream/stream_request.h"
#include "stream/stream_stats.h"
#include "stream/tls_gate.h"

/* stream_server: the HTTP server that exec, attach and port-forward ride on.
 *
 * A CRI request becomes a URL with a token; who comes with it is served by a session on a thread of
 * its own, for as long as it lasts. Beyond STREAM_SERVER_SESSIONS_MAX clients are told to come
 * again (503). The loop's thread accepts. */
struct node;
struct stream_server;

enum { STREAM_SERVER_SESSIONS_MAX = 1000 };

struct stream_server_options {
    struct loop *loop;
    struct node *node;
    const char *address;                /* as in stream_address_find() */
    uint16_t port;                      /* 0: any that is free */
    const struct tls_gate_options *tls; /* NULL: without */
};

/* Binds and listens. Before the loop runs. */
MUST_CHECK struct stream_server *stream_server_new(const struct stream_server_options *options,
                                                   struct error *err);

/* Takes the request, on failure too; gives the URL, which the caller frees. ERROR_EXHAUSTED. Any
 * thread. */
MUST_CHECK int stream_server_url(struct stream_server *s, struct stream_request *taken,
                                 char **out_url, struct error *err);

/* What it did and refused. Borrowed; any thread. */
const struct stream_stats *stream_server_stats(const struct stream_server *s);

/* Accepts no more and ends all sessions, and with them the commands they run. The loop's thread. */
void stream_server_stop(struct stream_server *s);

/* After the loop has stopped; waits for the sessions. NULL is fine. */
void stream_server_free(struct stream_server *s);
