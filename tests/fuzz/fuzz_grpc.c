// SPDX-License-Identifier: Apache-2.0
/* The server's end of gRPC over HTTP/2, as any client of the socket can reach it.
 *
 * The first byte: bit 0 puts the connection preface in front of the rest, bit 1 drains in the
 * middle, the upper bits are the size of the pieces in which the rest arrives. Paths choose what
 * becomes of a request: a message and OK, many messages, an error, or nothing. */
#include <stdint.h>

#include "base/own.h"
#include "cri.pb-c.h"
#include "wire/grpc_server.h"

static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static struct grpc_frame *some_frame(size_t len)
{
    Runtime__V1__VersionRequest message = RUNTIME__V1__VERSION_REQUEST__INIT;
    AUTO_FREE char *text = xcalloc(1, len + 1);
    struct error err;

    memset(text, 'x', len);
    message.version = text;
    return grpc_frame_new(&message.base, 1 << 20, &err);
}

static void on_requested(void *data, struct grpc_stream *stream)
{
    struct error err;

    stream->user = data;
    switch (stream->request.path[1]) {
    case 'm':
        for (int i = 0; i < 20; i++)
            grpc_stream_send(stream, some_frame(5000));
        break;
    case 'e':
        error_set(&err, ERROR_NOT_FOUND, "no %.100s", stream->message.body.data);
        grpc_stream_finish(stream, &err);
        break;
    case 'n':
        break;
    default:
        grpc_stream_send(stream, some_frame(10));
        grpc_stream_finish(stream, NULL);
    }
}

static void on_sent(void *data, void *user, size_t len)
{
    *(size_t *)user += len;
}

static void on_closed(void *data, void *user)
{
    ++*(size_t *)user;
}

static int receive(struct grpc_server *s, const void *data, size_t len)
{
    const uint8_t *bytes;
    struct error err;
    ssize_t n;

    if (grpc_server_receive(s, data, len, &err) < 0)
        return -1;
    while ((n = grpc_server_transmit(s, &bytes, &err)) > 0)
        ;
    return n < 0 || grpc_server_is_done(s) ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct grpc_server_limits limits = {4000, 200 * 1000, 20};
    static const struct grpc_server_events events = {on_requested, on_sent, on_closed};
    struct error err;
    size_t count = 0;
    struct grpc_server *s = grpc_server_new(&limits, &events, &count, &err);
    uint8_t mode = size ? data[0] : 0;
    size_t piece = mode < 4 ? size : mode >> 2;
    int rc = mode & 1 ? receive(s, PREFACE, sizeof PREFACE - 1) : 0;

    for (size_t at = 1; rc == 0 && at < size; at += piece) {
        if (mode & 2 && at > size / 2)
            grpc_server_drain(s);
        rc = receive(s, data + at, size - at < piece ? size - at : piece);
    }
    grpc_server_free(s);
    return 0;
}
