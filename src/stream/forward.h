// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "pod/sandbox.h"
#include "stream/mux.h"

/* forward: one TCP connection into a pod and its two streams, data and error.
 *
 *   WAITING ─▶ CONNECTING ─▶ OPEN ─▶ DONE ─▶ freed
 *
 * WAITING is for the second stream of the pair, DONE for the client to close its ends. It never
 * blocks. One thread at a time. */
enum forward_state { FORWARD_WAITING, FORWARD_CONNECTING, FORWARD_OPEN, FORWARD_DONE };

enum {
    FORWARD_HELD_MAX = 4 * 1024 * 1024,   /* from the client, when the pod is slow */
    FORWARD_HELD_MIN = 4 * MUX_INPUT_MAX, /* of it when there are many */
    FORWARD_STALL_MS = 20 * 1000,         /* for a pod that holds up the other connections */
    FORWARD_PAIR_MS = 30 * 1000,
    FORWARD_CONNECT_MS = 30 * 1000,
    FORWARD_LAST_MS = 1000, /* for the other end, after one has ended */
};

struct forward {
    struct list link;
    struct sandbox *sandbox; /* borrowed */
    struct mux *mux;         /* borrowed */
    enum forward_state state;
    int64_t data; /* streams; -1: not there */
    int64_t error;
    char *request_id; /* or NULL */
    uint16_t port;
    int fd;       /* -1: none */
    bool is_ipv6; /* the second try */
    char ipv4_failure[128];
    struct buf held;   /* from the client, for the pod */
    size_t held_at;    /* what of it is sent already */
    int64_t full_ns;   /* since when it takes nothing; 0: it does */
    bool client_ended; /* it sends no more */
    bool pod_ended;
    int64_t until_ns; /* of the state; 0: for ever */
};

struct forward *forward_new(struct mux *m, struct sandbox *s, uint16_t port);
void forward_free(struct forward *f);
DEFINE_AUTO(forward)

/* Both streams are there: connects. */
void forward_start(struct forward *f);

/* Tells the client that this one connection is no good, and ends it. */
void forward_fail(struct forward *f, const struct error *err);

/* From the client. */
void forward_take(struct forward *f, const void *data, size_t len);
void forward_end_input(struct forward *f);

/* Both streams are of no use any more: closes the connection. */
void forward_drop(struct forward *f);

/* True while it can be given MUX_INPUT_MAX bytes, when each may hold held_max. */
bool forward_takes(const struct forward *f, size_t held_max);

/* What to poll for; then what poll said, or nothing when only the time has passed. */
struct pollfd forward_poll(const struct forward *f);
void forward_serve(struct forward *f, short revents, int64_t now_ns);

/* True when it may be dropped and freed. */
bool forward_is_over(const struct forward *f, int64_t now_ns);
