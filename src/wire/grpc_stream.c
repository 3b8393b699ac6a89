// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_stream.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "wire/grpc_text.h"
#include "wire/http2.h"

/* A stream goes through three states: its request is read; it is answered (responding), with
 * frames and then trailers; it is finished, and the rest of what the client sends is dropped. An
 * answer without frames is "trailers-only": one HEADERS frame with the status in it.
 *
 * nghttp2 pulls the frames through read_frames(), as flow control lets it. Without frames it is
 * deferred until the next one comes. */

struct grpc_stream *grpc_stream_new(struct grpc_streams *in, int32_t id, size_t message_max)
{
    struct grpc_stream *stream = xcalloc(1, sizeof *stream);

    stream->in = in;
    stream->id = id;
    grpc_request_init(&stream->request);
    grpc_message_init(&stream->message, message_max);
    list_add(&in->all, &stream->link);
    return stream;
}

void grpc_stream_free(struct grpc_stream *stream)
{
    if (!stream)
        return;
    stream->in->held -= stream->held;
    list_remove(&stream->link);
    grpc_request_fini(&stream->request);
    grpc_message_fini(&stream->message);
    grpc_frame_drop_all(&stream->frames);
    free(stream->text);
    free(stream);
}

/* Counts bytes that are about to be kept. */
static int hold(struct grpc_stream *stream, size_t len, struct error *err)
{
    struct grpc_streams *in = stream->in;

    if (len > in->held_max - in->held)
        return error_set(err, ERROR_EXHAUSTED,
                         "requests and responses of the connection take more than %zu bytes",
                         in->held_max);
    stream->held += len;
    in->held += len;
    return 0;
}

int grpc_stream_read(struct grpc_stream *stream, const uint8_t *bytes, size_t len,
                     struct error *err)
{
    if (hold(stream, len, err) < 0)
        return -1;
    while (len > 0) {
        ssize_t n;

        if (grpc_message_is_complete(&stream->message))
            return error_set(err, ERROR_INTERNAL, "more than one message in the request");
        n = grpc_message_read(&stream->message, bytes, len, err);
        if (n < 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Fills in grpc-status and, when there is one, grpc-message; returns how many. */
static size_t status_fields(const struct grpc_stream *stream, char number[static 4],
                            nghttp2_nv fields[static 2])
{
    snprintf(number, 4, "%u", (unsigned)stream->code % 100);
    fields[0] = http2_field("grpc-status", number);
    if (!stream->text)
        return 1;
    fields[1] = http2_field("grpc-message", stream->text);
    return 2;
}

static void set_status(struct grpc_stream *stream, const struct error *status)
{
    char encoded[GRPC_TEXT_MESSAGE_SIZE];

    stream->finished = true;
    if (!status)
        return;
    stream->code = status->code;
    grpc_text_encode(encoded, status->text);
    if (encoded[0])
        stream->text = xstrdup(encoded);
}

/* The whole answer in one HEADERS frame. */
static void answer(struct grpc_stream *stream, int http_status)
{
    nghttp2_session *session = stream->in->session;
    char number[4], status[12];
    nghttp2_nv fields[5];
    size_t n;

    snprintf(status, sizeof status, "%d", http_status);
    fields[0] = http2_field(":status", status);
    fields[1] = http2_field("content-type", "application/grpc");
    fields[2] = http2_field("grpc-accept-encoding", "identity");
    n = 3 + status_fields(stream, number, fields + 3);
    stream->responding = true;
    http2_submitted(nghttp2_submit_response(session, stream->id, fields, n, NULL));
}

void grpc_stream_refuse(struct grpc_stream *stream, int http_status, const struct error *err)
{
    set_status(stream, err);
    answer(stream, http_status);
}

static void frame_is_read(struct grpc_stream *stream)
{
    struct grpc_streams *in = stream->in;
    struct grpc_frame *frame = grpc_frame_take(&stream->frames);

    stream->frame_at = 0;
    stream->held -= frame->len;
    in->held -= frame->len;
    if (stream->user)
        in->sent(in->data, stream->user, frame->len);
    grpc_frame_free(frame);
}

static size_t copy_frames(struct grpc_stream *stream, uint8_t *out, size_t len)
{
    size_t done = 0;

    while (stream->frames.first && done < len) {
        struct grpc_frame *frame = stream->frames.first;
        size_t n = frame->len - stream->frame_at;

        if (n > len - done)
            n = len - done;
        memcpy(out + done, frame->data + stream->frame_at, n);
        done += n;
        stream->frame_at += n;
        if (stream->frame_at == frame->len)
            frame_is_read(stream);
    }
    return done;
}

static ssize_t read_frames(nghttp2_session *session, int32_t id, uint8_t *out, size_t len,
                           uint32_t *flags, nghttp2_data_source *source, void *data)
{
    struct grpc_stream *stream = source->ptr;
    size_t done = copy_frames(stream, out, len);

    if (!stream->frames.first && stream->finished) {
        char number[4];
        nghttp2_nv trailers[2];
        size_t n = status_fields(stream, number, trailers);

        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        http2_submitted(nghttp2_submit_trailer(session, id, trailers, n));
    } else if (done == 0) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)done;
}

static void resume(struct grpc_stream *stream)
{
    if (!stream->deferred)
        return;
    stream->deferred = false;
    http2_submitted(nghttp2_session_resume_data(stream->in->session, stream->id));
}

static void begin(struct grpc_stream *stream)
{
    nghttp2_data_provider frames = {.source.ptr = stream, .read_callback = read_frames};
    nghttp2_nv fields[] = {http2_field(":status", "200"),
                           http2_field("content-type", "application/grpc"),
                           http2_field("grpc-accept-encoding", "identity")};

    stream->responding = true;
    http2_submitted(nghttp2_submit_response(stream->in->session, stream->id, fields,
                                            COUNT_OF(fields), &frames));
}

void grpc_stream_send(struct grpc_stream *stream, struct grpc_frame *taken)
{
    struct error err;

    if (!stream->finished && hold(stream, taken->len, &err) < 0)
        grpc_stream_finish(stream, &err);
    if (stream->finished) {
        grpc_frame_free(taken);
        return;
    }
    grpc_frame_put(&stream->frames, taken);
    if (!stream->responding)
        begin(stream);
    resume(stream);
}

void grpc_stream_finish(struct grpc_stream *stream, const struct error *status)
{
    if (stream->finished)
        return;
    set_status(stream, status);
    if (stream->responding)
        resume(stream);
    else
        answer(stream, 200);
}
