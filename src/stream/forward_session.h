// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "pod/node.h"
#include "stream/mux.h"
#include "stream/stream_request.h"

/* forward_session: a port forward from the moment that its client speaks SPDY or WebSocket, to its
 * end: any number of connections at once, all on this thread; gives up when stop_fd is readable. */
enum { FORWARD_SESSION_MAX = 1000 }; /* connections at once */

void forward_session(struct node *n, const struct stream_request *request, struct mux *m,
                     int stop_fd);
