// SPDX-License-Identifier: Apache-2.0
#include <assert.h>

#include "cri.pb-c.h"
#include "hot.h"
#include "wire/grpc_client.h"
#include "wire/grpc_server.h"

enum { CALLS = 100, MESSAGE_MAX = 1024 * 1024 };

struct pair {
    struct grpc_client *client;
    struct grpc_server *server;
    int answered;
};

static struct grpc_frame *new_frame(void)
{
    Runtime__V1__VersionRequest message = RUNTIME__V1__VERSION_REQUEST__INIT;
    struct grpc_frame *frame;
    struct error err;

    message.version = (char *)"0123456789012345678901234567890123456789";
    frame = grpc_frame_new(&message.base, MESSAGE_MAX, &err);
    assert(frame);
    return frame;
}

static void on_requested(void *data, struct grpc_stream *stream)
{
    stream->user = data;
    grpc_stream_send(stream, new_frame());
    grpc_stream_finish(stream, NULL);
}

static void on_sent(void *data, void *user, size_t len)
{
    (void)data;
    (void)user;
    (void)len;
}

static void on_closed(void *data, void *user)
{
    (void)data;
    (void)user;
}

static int on_message(void *data, const void *bytes, size_t len, struct error *err)
{
    struct pair *p = data;
    (void)bytes;
    (void)len;
    (void)err;

    p->answered++;
    return 0;
}

static void talk(struct pair *p)
{
    const uint8_t *bytes;
    struct error err;
    ssize_t n, total;

    do {
        total = 0;
        while ((n = grpc_client_transmit(p->client, &bytes, &err)) > 0) {
            assert(grpc_server_receive(p->server, bytes, (size_t)n, &err) == 0);
            total += n;
        }
        while ((n = grpc_server_transmit(p->server, &bytes, &err)) > 0) {
            assert(grpc_client_receive(p->client, bytes, (size_t)n, &err) == 0);
            total += n;
        }
    } while (total > 0);
}

static void call(void *data)
{
    struct pair *p = data;
    struct error err;

    for (int i = 0; i < CALLS; i++) {
        assert(grpc_client_start(p->client, "/runtime.v1.RuntimeService/Version", new_frame(), -1,
                                 &err) == 0);
        talk(p);
        assert(grpc_client_is_over(p->client));
    }
}

void hot_grpc(void)
{
    static const struct grpc_server_limits limits = {MESSAGE_MAX, 4 * MESSAGE_MAX, 10};
    static const struct grpc_server_events events = {on_requested, on_sent, on_closed};
    struct pair p = {0};
    struct error err;

    p.client = grpc_client_new(MESSAGE_MAX, on_message, &p, &err);
    p.server = grpc_server_new(&limits, &events, &p, &err);
    assert(p.client && p.server);
    call(&p);
    hot_measure(call, &p);
    assert(p.answered == 2 * CALLS);
    grpc_client_free(p.client);
    grpc_server_free(p.server);
}
