// SPDX-License-Identifier: Apache-2.0
#include "imaged/belt.h"

#include <pthread.h>
#include <stdbool.h>

struct belt {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *slots[BELT_SLOTS];
    size_t lens[BELT_SLOTS];
    size_t pushed; /* ever; the slot is this modulo BELT_SLOTS */
    size_t popped;
    bool ended;
    bool stopped;
};

struct belt *belt_new(void)
{
    struct belt *b = xcalloc(1, sizeof *b);

    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    for (size_t i = 0; i < BELT_SLOTS; i++)
        b->slots[i] = xmalloc(BELT_SLOT_SIZE);
    return b;
}

void belt_free(struct belt *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < BELT_SLOTS; i++)
        free(b->slots[i]);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

char *belt_room(struct belt *b)
{
    char *slot;

    pthread_mutex_lock(&b->lock);
    while (!b->stopped && b->pushed - b->popped == BELT_SLOTS)
        pthread_cond_wait(&b->changed, &b->lock);
    slot = b->stopped ? NULL : b->slots[b->pushed % BELT_SLOTS];
    pthread_mutex_unlock(&b->lock);
    return slot;
}

void belt_push(struct belt *b, size_t len)
{
    pthread_mutex_lock(&b->lock);
    b->lens[b->pushed++ % BELT_SLOTS] = len;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void raise_flag(struct belt *b, bool *flag)
{
    pthread_mutex_lock(&b->lock);
    *flag = true;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void belt_end(struct belt *b)
{
    raise_flag(b, &b->ended);
}

const char *belt_next(struct belt *b, size_t *out_len)
{
    const char *slot = NULL;

    pthread_mutex_lock(&b->lock);
    while (!b->ended && b->pushed == b->popped)
        pthread_cond_wait(&b->changed, &b->lock);
    if (b->pushed != b->popped) {
        slot = b->slots[b->popped % BELT_SLOTS];
        *out_len = b->lens[b->popped % BELT_SLOTS];
    }
    pthread_mutex_unlock(&b->lock);
    return slot;
}

void belt_pop(struct belt *b)
{
    pthread_mutex_lock(&b->lock);
    b->popped++;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

void belt_stop(struct belt *b)
{
    raise_flag(b, &b->stopped);
}
