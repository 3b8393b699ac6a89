// SPDX-License-Identifier: Apache-2.0
#include "rpc/call.h"

#include <assert.h>
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/message.h"
#include "base/own.h"
#include "rpc/call_server.h"
#include "wire/grpc_frame.h"

/* What a request may unpack to, and what its handler may add: an arena aborts when it is full, so
 * that no request must be able to use up the handler's share. */
static const size_t REQUEST_MEMORY_MAX = 128u * 1024 * 1024;
static const size_t HANDLER_MEMORY_MAX = 256u * 1024 * 1024;

static struct deadline deadline_of(int64_t began_ns, int64_t timeout_ns)
{
    struct deadline by = DEADLINE_NONE;

    /* Later than the clock can tell is never. */
    if (timeout_ns >= 0 && timeout_ns < INT64_MAX - began_ns)
        by.at_ns = began_ns + timeout_ns;
    return by;
}

struct rpc_call *rpc_call_new(const struct rpc_server_options *options,
                              const struct rpc_route *route, struct rpc_outbox *outbox,
                              struct grpc_stream *stream)
{
    struct rpc_call *call = xcalloc(1, sizeof *call);
    pthread_condattr_t monotonic;

    call->options = options;
    call->route = route;
    call->outbox = outbox;
    call->began_ns = clock_monotonic_ns();
    call->stream = stream;
    call->request = stream->message.body;
    buf_init(&stream->message.body, stream->message.body.max);
    call->deadline = deadline_of(call->began_ns, stream->request.timeout_ns);
    list_init(&call->link);
    rpc_outbox_init_slot(&call->slot);
    pthread_mutex_init(&call->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&call->room, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return call;
}

void rpc_call_free(struct rpc_call *call)
{
    if (!call)
        return;
    list_remove(&call->link);
    buf_fini(&call->request);
    arena_fini(&call->arena);
    grpc_frame_drop_all(&call->slot.frames);
    fd_close(&call->deadline.cancel_fd);
    pthread_cond_destroy(&call->room);
    pthread_mutex_destroy(&call->lock);
    free(call);
}

/* --- for the handler --- */

struct arena *rpc_call_arena(struct rpc_call *call)
{
    return &call->arena;
}

const struct deadline *rpc_call_deadline(struct rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    if (call->deadline.cancel_fd < 0)
        call->deadline.cancel_fd = eventfd(call->cancelled, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_unlock(&call->lock);
    return &call->deadline;
}

/* Waits until len bytes may be queued; one message of any length always may. Holds the lock. */
static int wait_for_room(struct rpc_call *call, size_t len, struct error *err)
{
    int64_t at_ns = call->deadline.at_ns;
    struct timespec at = {.tv_sec = at_ns / CLOCK_NS_PER_S, .tv_nsec = at_ns % CLOCK_NS_PER_S};
    int rc = 0;

    if (at_ns && clock_monotonic_ns() >= at_ns)
        rc = ETIMEDOUT;
    while (rc != ETIMEDOUT && !call->cancelled && call->queued > 0 &&
           call->queued + len > RPC_CALL_QUEUE_MAX)
        rc = at_ns ? pthread_cond_timedwait(&call->room, &call->lock, &at)
                   : pthread_cond_wait(&call->room, &call->lock);
    if (call->cancelled)
        return error_set(err, ERROR_CANCELLED, "called off by the client");
    if (rc == ETIMEDOUT)
        return error_set(err, ERROR_DEADLINE, "deadline exceeded");
    call->queued += len;
    return 0;
}

int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message, struct error *err)
{
    struct grpc_frame *frame;
    int rc;

    assert(call->route->streams && message->descriptor == call->route->output);
    frame = grpc_frame_new(message, RPC_MESSAGE_MAX, err);
    if (!frame)
        return -1;
    pthread_mutex_lock(&call->lock);
    rc = wait_for_room(call, frame->len, err);
    pthread_mutex_unlock(&call->lock);
    if (rc < 0)
        grpc_frame_free(frame);
    else
        rpc_outbox_put(call->outbox, &call->slot, frame, false);
    return rc;
}

/* --- for the server --- */

void rpc_call_sent(struct rpc_call *call, size_t len)
{
    if (!call->route->streams)
        return;
    pthread_mutex_lock(&call->lock);
    call->queued -= len;
    pthread_cond_signal(&call->room);
    pthread_mutex_unlock(&call->lock);
}

void rpc_call_cancel(struct rpc_call *call, bool by_us)
{
    pthread_mutex_lock(&call->lock);
    if (!call->cancelled) {
        call->cancelled = true;
        call->by_us = by_us;
        if (call->deadline.cancel_fd >= 0 && eventfd_write(call->deadline.cancel_fd, 1) < 0)
            abort();
        pthread_cond_broadcast(&call->room);
    }
    pthread_mutex_unlock(&call->lock);
}

static bool is_cancelled(struct rpc_call *call)
{
    bool cancelled;

    pthread_mutex_lock(&call->lock);
    cancelled = call->cancelled && !call->by_us;
    pthread_mutex_unlock(&call->lock);
    return cancelled;
}

static ProtobufCMessage *unpack(struct rpc_call *call, struct error *err)
{
    const ProtobufCFieldDescriptor *nul;
    ProtobufCMessage *request;

    if (call->unpacked)
        return call->unpacked;
    arena_init(&call->arena, REQUEST_MEMORY_MAX);
    request =
        arena_unpack(&call->arena, call->route->input, call->request.data, call->request.len, err);
    call->arena.max += HANDLER_MEMORY_MAX;
    nul = request ? message_find_nul(call->route->input, call->request.data, call->request.len)
                  : NULL;
    if (request && !nul && message_is_text(request)) {
        buf_fini(&call->request);
        return call->unpacked = request;
    }
    if (nul)
        error_set(err, ERROR_INVALID, "string field %s contains a NUL byte", nul->name);
    else if (request)
        error_set(err, ERROR_INVALID, "string field contains invalid UTF-8");
    arena_fini(&call->arena);
    /* What grpc-go says, and clients know: the bytes are wrong, not the arguments. */
    if (err->code == ERROR_INVALID)
        err->code = ERROR_INTERNAL;
    error_wrap(err, "grpc: error unmarshalling request");
    return NULL;
}

/* Returns 0 with the response, if it is a unary call, or -1. */
static int serve(struct rpc_call *call, struct grpc_frame **out, struct error *err)
{
    const struct rpc_route *route = call->route;
    ProtobufCMessage *request, *response = NULL;

    if (is_cancelled(call))
        return error_set(err, ERROR_CANCELLED, "called off by the client");
    request = unpack(call, err);
    if (!request)
        return -1;
    if (!route->streams)
        response = arena_new(&call->arena, route->output);
    if (route->serve(call, route->data, request, response, err) < 0)
        return -1;
    if (!response)
        return 0;
    *out = grpc_frame_new(response, RPC_MESSAGE_MAX, err);
    return *out ? 0 : -1;
}

/* The status of a call that did not go well, as its client shall see it. */
static void settle(struct rpc_call *call, struct error *err)
{
    if (err->code == ERROR_OK)
        err->code = ERROR_UNKNOWN;
    pthread_mutex_lock(&call->lock);
    if (err->code == ERROR_CANCELLED && call->by_us)
        error_set(err, ERROR_UNAVAILABLE, "the server is shutting down");
    pthread_mutex_unlock(&call->lock);
}

/* Serves it, and tells the observer. Returns the response, if there is one. */
static struct grpc_frame *answer(struct rpc_call *call)
{
    const struct rpc_server_options *options = call->options;
    struct grpc_frame *response = NULL;
    struct error err = {0};

    if (serve(call, &response, &err) < 0) {
        settle(call, &err);
        call->status = err;
    }
    arena_fini(&call->arena);
    if (options->observe)
        options->observe(options->observe_data, call->route->path, &call->status,
                         clock_monotonic_ns() - call->began_ns);
    return response;
}

bool rpc_call_serve_brief(struct rpc_call *call, struct grpc_frame **out)
{
    const struct rpc_route *route = call->route;
    const ProtobufCMessage *request;
    struct error err;

    if (!route->is_brief || call->request.len > RPC_BRIEF_MAX)
        return false;
    request = unpack(call, &err);
    if (!request || !route->is_brief(route->data, request))
        return false; /* the pool says what is wrong with it */
    *out = answer(call);
    return true;
}

void rpc_call_run(void *data)
{
    struct rpc_call *call = data;
    struct grpc_frame *response = answer(call);

    rpc_outbox_put(call->outbox, &call->slot, response, true);
}
