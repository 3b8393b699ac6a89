// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "os/deadline.h"
#include "stream/mux.h"
#include "stream/stream_request.h"
#include "wire/remotecommand.h"
#include "wire/spdy_window.h"

/* remote: the client of an exec or attach: its stdin, stdout, stderr, error and resize streams.
 *
 * It takes from the client only while there is room for its stdin, and what it sends waits for the
 * socket within the limits of the mux. Memory of the caller; one thread at a time. */
/* A client that knows windows never sends so much ahead that the others of its frames wait. */
enum { REMOTE_STDIN_MAX = SPDY_WINDOW_SIZE + MUX_INPUT_MAX };

struct remote {
    struct mux *mux; /* borrowed */
    int version;
    int64_t streams[REMOTECOMMAND_STREAMS]; /* -1: there is none */
    struct remotecommand_resizes resizes;
    struct buf input; /* of stdin, for the command */
    bool input_ended; /* and no more will come */
    bool has_size;    /* a new one, not yet taken */
    struct remotecommand_size size;
};

void remote_init(struct remote *r, struct mux *m, const char *protocol);
void remote_fini(struct remote *r);

/* Waits until the client has opened all streams that go with the request. */
MUST_CHECK int remote_open(struct remote *r, const struct stream_request *request,
                           const struct deadline *by, struct error *err);

/* True while remote_take() makes sense. */
bool remote_takes(const struct remote *r);

/* Takes what was received: into input, or the size. */
void remote_take(struct remote *r);

/* len bytes of input are with the command, or nobody wants them. */
void remote_consume(struct remote *r, size_t len);

/* Sends the end to the error stream, after all that was sent before, and ends all streams. */
void remote_finish(struct remote *r, const struct remotecommand_end *end, int stop_fd);
