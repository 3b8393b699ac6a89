// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "wire/grpc_frame.h"
#include "wire/grpc_message.h"
#include "wire/grpc_request.h"

/* grpc_stream: one request and its response, on the server's end.
 *
 * Its grpc_server makes it and frees it when the client or both are through with it, which its user
 * hears of. Same thread as the grpc_server. */

/* What the streams of a connection share. */
struct grpc_streams {
    nghttp2_session *session;
    size_t held; /* bytes of requests and responses in memory */
    size_t held_max;
    /* That many bytes of frames are not held any more. Only for streams with a user. */
    void (*sent)(void *data, void *user, size_t len);
    void *data;
    struct list all;
};

struct grpc_stream {
    struct list link;
    struct grpc_streams *in;
    int32_t id;
    void *user; /* NULL: nobody wants to hear of it */
    struct grpc_request request;
    struct grpc_message message;
    bool requested;  /* the request is whole */
    bool responding; /* the response has begun */
    bool finished;   /* the status is known; what else the client sends is dropped */
    bool deferred;   /* nghttp2 waits for the next frame */
    enum error_code code;
    char *text; /* of the status, percent-encoded; NULL: none */
    struct grpc_frame_queue frames;
    size_t frame_at; /* what of the first frame has been read */
    size_t held;
};

struct grpc_stream *grpc_stream_new(struct grpc_streams *in, int32_t id, size_t message_max);
void grpc_stream_free(struct grpc_stream *stream);

/* Takes bytes of the request's body. ERROR_EXHAUSTED and others as a status for the client. */
MUST_CHECK int grpc_stream_read(struct grpc_stream *stream, const uint8_t *bytes, size_t len,
                                struct error *err);

/* Answers with that HTTP status and nothing else. */
void grpc_stream_refuse(struct grpc_stream *stream, int http_status, const struct error *err);

/* Adds a message to the response. */
void grpc_stream_send(struct grpc_stream *stream, struct grpc_frame *taken);

/* Ends the response: behind what was sent comes the status, OK when it is NULL. Only the first
 * status counts. */
void grpc_stream_finish(struct grpc_stream *stream, const struct error *status);
