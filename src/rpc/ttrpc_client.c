// SPDX-License-Identifier: Apache-2.0
#include "rpc/ttrpc_client.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/own.h"
#include "ttrpc.pb-c.h"
#include "wire/ttrpc.h"

enum { STREAM = 1, FDS_MAX = 16, READ_SIZE = 16 * 1024, RETRY_NS = 1000000 };

/* ---- connect ---- */

/* A path that does not fit into the address is reached by way of its folder's descriptor, which
 * the caller keeps open until it is connected. */
static int make_address(const char *path, struct sockaddr_un *out, int *out_folder,
                        struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = NULL;
    int len;

    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof out->sun_path) {
        memcpy(out->sun_path, path, strlen(path) + 1);
        return 0;
    }
    if (!slash)
        return error_set(err, ERROR_INVALID, "the name of a socket is too long");
    folder = xstrndup(path, (size_t)(slash - path + 1));
    *out_folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*out_folder < 0)
        return error_errno(err, errno, "open folder of a socket");
    len = snprintf(out->sun_path, sizeof out->sun_path, "/proc/self/fd/%d/%s", *out_folder,
                   slash + 1);
    if (len >= (int)sizeof out->sun_path)
        return error_set(err, ERROR_INVALID, "the name of a socket is too long");
    return 0;
}

static int open_connection(const char *path, const struct deadline *by, struct error *err)
{
    struct sockaddr_un address;
    AUTO_CLOSE int folder = -1;
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return error_errno(err, errno, "socket");
    if (make_address(path, &address, &folder, err) < 0)
        return -1;
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        struct timespec pause = {0, RETRY_NS};

        /* EAGAIN: many are waiting to be accepted, and nothing tells when there is room. */
        if (errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "connect");
        if (deadline_check(by, err) < 0)
            return -1;
        nanosleep(&pause, NULL);
    }
    return fd_take(&fd);
}

/* ---- request ---- */

static ssize_t send_with_fds(int fd, const struct ttrpc_call *call, const void *data, size_t len)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))] = {0};
    struct iovec iov = {(void *)data, len};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
    struct cmsghdr *cmsg;

    if (call->n_fds > 0) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(call->n_fds * sizeof(int));
        cmsg = CMSG_FIRSTHDR(&message);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(call->n_fds * sizeof(int));
        memcpy(CMSG_DATA(cmsg), call->fds, call->n_fds * sizeof(int));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int64_t time_left(const struct deadline *by)
{
    int64_t left;

    if (!by->at_ns)
        return 0;
    left = by->at_ns - clock_monotonic_ns();
    return left > 0 ? left : 1;
}

static int send_request(int fd, const struct ttrpc_call *call, const struct deadline *by,
                        struct error *err)
{
    struct ttrpc_request request = {.service = call->service,
                                    .method = call->method,
                                    .timeout_ns = time_left(by),
                                    .namespace = "k8s.io"};
    AUTO_FINI(buf) frame = BUF(TTRPC_HEADER_SIZE + TTRPC_DATA_MAX);
    bool is_first = true;

    if (ttrpc_encode_request(&frame, STREAM, &request, call->request, err) < 0)
        return -1;
    for (size_t done = 0; done < frame.len;) {
        ssize_t n = is_first ? send_with_fds(fd, call, frame.data, frame.len)
                             : send(fd, frame.data + done, frame.len - done, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(err, errno, "send");
        if (n < 0 && deadline_wait(by, fd, POLLOUT, err) < 0)
            return -1;
        if (n > 0) {
            is_first = false;
            done += (size_t)n;
        }
    }
    return 0;
}

/* ---- response ---- */

static int take_response(const struct ttrpc_call *call, const struct ttrpc_frame *frame,
                         struct arena *arena, ProtobufCMessage **out, struct error *err)
{
    Ttrpc__Response *response;

    if (frame->is_oversized)
        return error_set(err, ERROR_EXHAUSTED, "the answer is longer than %d bytes",
                         TTRPC_DATA_MAX);
    response = (Ttrpc__Response *)arena_unpack(arena, &ttrpc__response__descriptor, frame->data,
                                               frame->len, err);
    if (!response)
        return -1;
    if (response->status && response->status->code != 0)
        return error_set(err, (enum error_code)response->status->code, "%s",
                         response->status->message);
    if (!call->response)
        return 0;
    *out = arena_unpack(arena, call->response, response->payload.data, response->payload.len, err);
    return *out ? 0 : -1;
}

static int receive_response(int fd, const struct ttrpc_call *call, const struct deadline *by,
                            struct ttrpc_decoder *decoder, struct ttrpc_frame *out,
                            struct error *err)
{
    AUTO_FREE char *data = xmalloc(READ_SIZE);

    for (;;) {
        ssize_t n;

        while (ttrpc_decoder_next(decoder, out))
            if (out->type == TTRPC_RESPONSE && out->stream == STREAM)
                return 0;
        if (deadline_wait(by, fd, POLLIN, err) < 0)
            return -1;
        n = recv(fd, data, READ_SIZE, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n < 0)
            return error_errno(err, errno, "receive");
        if (n == 0)
            return error_set(err, ERROR_UNAVAILABLE, "ttrpc: closed");
        if (ttrpc_decoder_feed(decoder, data, (size_t)n, err) < 0)
            return -1;
    }
}

int ttrpc_client_begin(const struct ttrpc_call *call, const struct deadline *by, struct error *err)
{
    AUTO_CLOSE int fd = -1;

    assert(call->n_fds <= FDS_MAX);
    fd = open_connection(call->socket, by, err);
    if (fd < 0) {
        if (err->code == ERROR_NOT_FOUND)
            err->code = ERROR_UNAVAILABLE;
        return error_wrap(err, "call %s of %s", call->method, call->socket);
    }
    return send_request(fd, call, by, err) < 0 ? -1 : fd_take(&fd);
}

int ttrpc_client_finish(int begun, const struct ttrpc_call *call, struct arena *arena,
                        const struct deadline *by, ProtobufCMessage **out, struct error *err)
{
    __attribute__((cleanup(ttrpc_decoder_fini))) struct ttrpc_decoder decoder;
    AUTO_CLOSE int fd = begun;
    ProtobufCMessage *unused;
    struct ttrpc_frame frame;

    ttrpc_decoder_init(&decoder);
    if (receive_response(fd, call, by, &decoder, &frame, err) < 0)
        return -1;
    /* The text of a status goes to users as the shim wrote it. */
    return take_response(call, &frame, arena, out ? out : &unused, err);
}

int ttrpc_client_call(const struct ttrpc_call *call, struct arena *arena, const struct deadline *by,
                      ProtobufCMessage **out, struct error *err)
{
    int begun = ttrpc_client_begin(call, by, err);

    return begun < 0 ? -1 : ttrpc_client_finish(begun, call, arena, by, out, err);
}
