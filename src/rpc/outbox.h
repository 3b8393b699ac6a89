// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <pthread.h>
#include <stdbool.h>

#include "base/list.h"
#include "os/loop.h"
#include "wire/grpc_frame.h"

/* rpc_outbox: what handlers, on the pool's threads, give to the loop's thread to be sent.
 *
 * Owned by the server. A call is in it at most once, with all that is to be sent of it, and the
 * loop is woken once for all the calls that it finds. */
struct rpc_outbox {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct list slots;
    bool posted; /* the loop will come */
    struct loop *loop;
    void (*deliver)(void *data);
    void *data;
};

/* A call's place in it. */
struct rpc_outbox_slot {
    struct list link;
    struct grpc_frame_queue frames;
    bool finished; /* nothing comes behind these frames, and the handler is done with the call */
};

/* deliver is called on the loop's thread when there is something to take. */
void rpc_outbox_init(struct rpc_outbox *o, struct loop *loop, void (*deliver)(void *data),
                     void *data);
void rpc_outbox_fini(struct rpc_outbox *o);
void rpc_outbox_init_slot(struct rpc_outbox_slot *slot);

/* frame may be NULL. With finished the call is not the caller's any more. Any thread. */
void rpc_outbox_put(struct rpc_outbox *o, struct rpc_outbox_slot *slot, struct grpc_frame *taken,
                    bool finished);

/* The next slot with its frames, moved to out_frames, or NULL. The loop's thread. */
struct rpc_outbox_slot *rpc_outbox_take(struct rpc_outbox *o, struct grpc_frame_queue *out_frames,
                                        bool *out_finished);

/* For the time after the loop: waits until there is something to take. */
void rpc_outbox_wait(struct rpc_outbox *o);
