// SPDX-License-Identifier: Apache-2.0
#include "rpc/outbox.h"

void rpc_outbox_init(struct rpc_outbox *o, struct loop *loop, void (*deliver)(void *data),
                     void *data)
{
    *o = (struct rpc_outbox){.loop = loop, .deliver = deliver, .data = data};
    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->filled, NULL);
    list_init(&o->slots);
}

void rpc_outbox_fini(struct rpc_outbox *o)
{
    pthread_cond_destroy(&o->filled);
    pthread_mutex_destroy(&o->lock);
}

void rpc_outbox_init_slot(struct rpc_outbox_slot *slot)
{
    *slot = (struct rpc_outbox_slot){0};
    list_init(&slot->link);
}

void rpc_outbox_put(struct rpc_outbox *o, struct rpc_outbox_slot *slot, struct grpc_frame *taken,
                    bool finished)
{
    pthread_mutex_lock(&o->lock);
    if (taken)
        grpc_frame_put(&slot->frames, taken);
    slot->finished = finished;
    if (list_is_empty(&slot->link))
        list_add(&o->slots, &slot->link);
    /* Inside the lock: once the last call is taken, outbox and loop may be freed. */
    if (!o->posted)
        loop_post(o->loop, o->deliver, o->data);
    o->posted = true;
    pthread_cond_signal(&o->filled);
    pthread_mutex_unlock(&o->lock);
}

struct rpc_outbox_slot *rpc_outbox_take(struct rpc_outbox *o, struct grpc_frame_queue *out_frames,
                                        bool *out_finished)
{
    struct rpc_outbox_slot *slot = NULL;

    pthread_mutex_lock(&o->lock);
    if (list_is_empty(&o->slots)) {
        o->posted = false;
    } else {
        slot = LIST_OF(o->slots.next, struct rpc_outbox_slot, link);
        list_remove(&slot->link);
        *out_frames = slot->frames;
        *out_finished = slot->finished;
        slot->frames = (struct grpc_frame_queue){0};
    }
    pthread_mutex_unlock(&o->lock);
    return slot;
}

void rpc_outbox_wait(struct rpc_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    while (list_is_empty(&o->slots))
        pthread_cond_wait(&o->filled, &o->lock);
    pthread_mutex_unlock(&o->lock);
}
