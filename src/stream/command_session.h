// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pod/node.h"
#include "stream/mux.h"
#include "stream/stream_request.h"

/* command_session: an exec or attach from the moment that its client speaks SPDY or WebSocket, to
 * its end. Runs on its own thread; gives up when stop_fd is readable. */
void command_session_exec(struct node *n, const struct stream_request *request, struct mux *m,
                          const char *protocol, int stop_fd);
void command_session_attach(struct node *n, const struct stream_request *request, struct mux *m,
                            const char *protocol, int stop_fd);
