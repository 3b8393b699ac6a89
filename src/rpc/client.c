// SPDX-License-Identifier: Apache-2.0
#include "rpc/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "rpc/server.h"
#include "wire/grpc_client.h"

enum { READ_SIZE = 32 * 1024, PATH_SIZE = 256 };
static const size_t STREAM_MEMORY_MAX = 256u * 1024 * 1024; /* of one message, unpacked */

struct rpc_client {
    int fd;
    struct grpc_client *http2;
    /* The call. */
    const ProtobufCMessageDescriptor *output;
    struct arena *arena;        /* of a unary call */
    ProtobufCMessage *response; /* of a unary call */
    int (*each)(void *data, const ProtobufCMessage *message, struct error *err);
    void *each_data;
};

static int take_unary(struct rpc_client *c, const void *bytes, size_t len, struct error *err)
{
    if (c->response)
        return error_set(err, ERROR_INTERNAL, "more than one message in the response");
    c->response = arena_unpack(c->arena, c->output, bytes, len, err);
    return c->response ? 0 : error_wrap(err, "unpack the response");
}

static int take_streamed(struct rpc_client *c, const void *bytes, size_t len, struct error *err)
{
    AUTO_FINI(arena) arena;
    ProtobufCMessage *message;

    arena_init(&arena, STREAM_MEMORY_MAX);
    message = arena_unpack(&arena, c->output, bytes, len, err);
    if (!message)
        return error_wrap(err, "unpack the response");
    return c->each(c->each_data, message, err);
}

static int on_message(void *data, const void *bytes, size_t len, struct error *err)
{
    struct rpc_client *c = data;

    return c->each ? take_streamed(c, bytes, len, err) : take_unary(c, bytes, len, err);
}

static int connect_to(struct rpc_client *c, const char *path, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof address.sun_path)
        return error_set(err, ERROR_INVALID, "more than %zu bytes", sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, len);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return error_errno(err, errno, "make socket");
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd_set_nonblocking(c->fd, err);
    error_errno(err, errno, "connect");
    if (err->errnum == ENOENT || err->errnum == ECONNREFUSED)
        err->code = ERROR_UNAVAILABLE;
    return -1;
}

struct rpc_client *rpc_client_open(const char *path, struct error *err)
{
    struct rpc_client *c = xcalloc(1, sizeof *c);

    c->fd = -1;
    if (connect_to(c, path, err) == 0)
        c->http2 = grpc_client_new(RPC_MESSAGE_MAX, on_message, c, err);
    if (c->http2)
        return c;
    error_wrap(err, "%s", path);
    rpc_client_close(c);
    return NULL;
}

void rpc_client_close(struct rpc_client *c)
{
    if (!c)
        return;
    grpc_client_free(c->http2);
    fd_close(&c->fd);
    free(c);
}

static int write_all(struct rpc_client *c, const uint8_t *bytes, size_t len,
                     const struct deadline *by, struct error *err)
{
    while (len > 0) {
        ssize_t n = send(c->fd, bytes, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            if (deadline_wait(by, c->fd, POLLOUT, err) < 0)
                return -1;
        } else if (n < 0 && errno != EINTR) {
            return error_errno(err, errno, "send to the server");
        } else if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* Small pieces, such as the frames of one request, go out together. */
static int flush(struct rpc_client *c, const struct deadline *by, struct error *err)
{
    uint8_t out[READ_SIZE];
    const uint8_t *bytes;
    size_t len = 0;
    ssize_t n;

    while ((n = grpc_client_transmit(c->http2, &bytes, err)) > 0) {
        if (len + (size_t)n > sizeof out) {
            if (write_all(c, out, len, by, err) < 0)
                return -1;
            len = 0;
        }
        if ((size_t)n > sizeof out) {
            if (write_all(c, bytes, (size_t)n, by, err) < 0)
                return -1;
            continue;
        }
        memcpy(out + len, bytes, (size_t)n);
        len += (size_t)n;
    }
    return n < 0 ? -1 : write_all(c, out, len, by, err);
}

static int receive(struct rpc_client *c, const struct deadline *by, struct error *err)
{
    char in[READ_SIZE];
    ssize_t n;

    if (deadline_wait(by, c->fd, POLLIN, err) < 0)
        return -1;
    n = recv(c->fd, in, sizeof in, 0);
    if (n > 0)
        return grpc_client_receive(c->http2, in, (size_t)n, err);
    if (n == 0)
        return error_set(err, ERROR_UNAVAILABLE, "the server closed the connection");
    return errno == EAGAIN || errno == EINTR ? 0
                                             : error_errno(err, errno, "receive from the server");
}

static int exchange(struct rpc_client *c, const struct deadline *by, struct error *err)
{
    for (;;) {
        int rc = flush(c, by, err);

        if (grpc_client_is_over(c->http2))
            return 0;
        if (rc < 0)
            return -1;
        if (receive(c, by, err) < 0)
            return -1;
    }
}

static int start(struct rpc_client *c, const ProtobufCServiceDescriptor *service,
                 const char *method_name, const ProtobufCMessage *request,
                 const struct deadline *by, struct error *err)
{
    const ProtobufCMethodDescriptor *method =
        protobuf_c_service_descriptor_get_method_by_name(service, method_name);
    int64_t timeout_ns = by->at_ns ? by->at_ns - clock_monotonic_ns() : -1;
    struct grpc_frame *frame;
    char path[PATH_SIZE];

    if (!method)
        return error_set(err, ERROR_UNIMPLEMENTED, "%s has no such method", service->name);
    if (by->at_ns && timeout_ns <= 0)
        return error_set(err, ERROR_DEADLINE, "deadline exceeded");
    c->output = method->output;
    snprintf(path, sizeof path, "/%s/%s", service->name, method_name);
    frame = grpc_frame_new(request, RPC_MESSAGE_MAX, err);
    return frame ? grpc_client_start(c->http2, path, frame, timeout_ns, err) : -1;
}

/* The call has started; a broken connection or a deadline ends it too. */
static int finish(struct rpc_client *c, const struct deadline *by, struct error *err)
{
    static const struct deadline now = {.at_ns = 1, .cancel_fd = -1};
    struct error late;

    if (exchange(c, by, err) == 0)
        return grpc_client_status(c->http2, err);
    /* The server shall hear that nobody waits, if it still listens. */
    grpc_client_cancel(c->http2, err);
    if (flush(c, &now, &late) < 0)
        shutdown(c->fd, SHUT_RDWR);
    return -1;
}

ProtobufCMessage *rpc_client_call(struct rpc_client *c, const ProtobufCServiceDescriptor *service,
                                  const char *method, const ProtobufCMessage *request,
                                  struct arena *arena, const struct deadline *by, struct error *err)
{
    c->arena = arena;
    c->each = NULL;
    c->response = NULL;
    if (start(c, service, method, request, by, err) < 0 || finish(c, by, err) < 0)
        return NULL;
    if (!c->response)
        error_set(err, ERROR_INTERNAL, "no message in the response");
    return c->response;
}

int rpc_client_stream(struct rpc_client *c, const ProtobufCServiceDescriptor *service,
                      const char *method, const ProtobufCMessage *request,
                      int (*each)(void *data, const ProtobufCMessage *message, struct error *err),
                      void *data, const struct deadline *by, struct error *err)
{
    c->each = each;
    c->each_data = data;
    if (start(c, service, method, request, by, err) < 0 || finish(c, by, err) < 0)
        return -1;
    return 0;
}
