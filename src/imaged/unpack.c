// SPDX-License-Identifier: Apache-2.0
#include "imaged/unpack.h"

#include <pthread.h>
#include <string.h>

#include "base/own.h"
#include "imaged/event.h"
#include "imaged/layer.h"
#include "imaged/sha.h"
#include "imaged/stop.h"

struct run {
    struct unpack *unpack;
    pthread_mutex_t lock; /* for what follows */
    size_t next;          /* to be taken by a thread */
    struct layer **ready; /* unpacked, not yet published */
    size_t published;
    bool failed;
    struct error failure;
};

/* One layer on one thread. */
struct job {
    struct run *run;
    struct unpack_layer *target;
    struct layer *layer;
    struct event_layer event;
    int64_t received;
};

void unpack_chain(struct unpack_layer *layers, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char both[2 * DIGEST_SIZE + 1];
        int n;

        if (i == 0) {
            memcpy(layers[i].chain_id, layers[i].diff_id, DIGEST_SIZE);
            continue;
        }
        n = snprintf(both, sizeof both, "%s %s", layers[i - 1].chain_id, layers[i].diff_id);
        sha_of(DIGEST_SHA256, both, (size_t)n, layers[i].chain_id);
    }
}

static bool has_failed(struct run *r)
{
    bool failed;

    pthread_mutex_lock(&r->lock);
    failed = r->failed;
    pthread_mutex_unlock(&r->lock);
    return failed;
}

/* The first failure is the reason; the others are its consequences. */
static void fail(struct run *r, const struct error *err)
{
    pthread_mutex_lock(&r->lock);
    if (!r->failed)
        r->failure = *err;
    r->failed = true;
    pthread_mutex_unlock(&r->lock);
}

static int write_bytes(void *data, const void *bytes, size_t len, struct error *err)
{
    struct job *j = data;

    if (stop_check(err) < 0)
        return -1;
    if (has_failed(j->run))
        return error_set(err, ERROR_CANCELLED, "another layer failed");
    j->received += (int64_t)len;
    event_progress(&j->event, "downloading", j->received);
    return layer_write(j->layer, bytes, len, err);
}

static struct layer_spec spec_of(const struct run *r, const struct unpack_layer *target)
{
    return (struct layer_spec){r->unpack->root, target->diff_id, target->chain_id};
}

static int fetch(struct job *j, struct error *err)
{
    struct unpack *u = j->run->unpack;

    if (u->fetch(u->source, j->target->blob, write_bytes, j, err) < 0)
        return -1;
    event_progress(&j->event, "unpacking", j->received);
    return layer_finish(j->layer, err);
}

/* Publishes all that are ready from the lowest up. The lock is held. */
static int publish_ready(struct run *r, struct error *err)
{
    for (; r->published < r->unpack->len; r->published++) {
        size_t i = r->published;
        struct strv lowers = {0};
        int result;

        if (!r->unpack->layers[i].existed && !r->ready[i])
            return 0;
        if (!r->ready[i])
            continue;
        for (size_t k = 0; k < i; k++)
            strv_add(&lowers, r->unpack->layers[k].chain_id);
        result = layer_publish(r->ready[i], &lowers, err);
        strv_fini(&lowers);
        if (result < 0)
            return error_wrap(err, "layer %s", r->unpack->layers[i].blob->digest);
        layer_free(TAKE(r->ready[i]));
    }
    return 0;
}

static int hand_in(struct run *r, size_t i, struct layer *taken, struct error *err)
{
    int result;

    pthread_mutex_lock(&r->lock);
    r->ready[i] = taken;
    r->unpack->layers[i].existed = !taken;
    result = publish_ready(r, err);
    pthread_mutex_unlock(&r->lock);
    return result;
}

static int do_layer(struct run *r, size_t i, struct error *err)
{
    struct unpack_layer *target = &r->unpack->layers[i];
    struct layer_spec spec = spec_of(r, target);
    struct job j = {.run = r, .target = target};
    AUTO(layer) *layer = NULL;

    j.event = (struct event_layer){.digest = target->blob->digest, .total = target->blob->size};
    if (!layer_find(&spec, &target->usage)) {
        layer = layer_new(&spec, err);
        if (!layer)
            return -1;
    }
    /* Another run may have finished it while we waited. */
    if (!layer || layer_find(&spec, &target->usage)) {
        event_progress(&j.event, "exists", target->blob->size);
        layer_free(TAKE(layer));
        return hand_in(r, i, NULL, err);
    }
    j.layer = layer;
    if (fetch(&j, err) < 0)
        return -1;
    target->usage = layer_usage(layer);
    target->compressed = layer_is_compressed(layer);
    event_progress(&j.event, "done", j.received);
    return hand_in(r, i, TAKE(layer), err);
}

static bool take_next(struct run *r, size_t *out)
{
    bool taken;

    pthread_mutex_lock(&r->lock);
    taken = !r->failed && r->next < r->unpack->len;
    if (taken)
        *out = r->next++;
    pthread_mutex_unlock(&r->lock);
    return taken;
}

static void *work(void *data)
{
    struct run *r = data;
    size_t i = 0;

    while (take_next(r, &i)) {
        struct error err = {0};

        if (do_layer(r, i, &err) == 0)
            continue;
        error_wrap(&err, "layer %s", r->unpack->layers[i].blob->digest);
        fail(r, &err);
    }
    return NULL;
}

static void announce(const struct unpack *u)
{
    for (size_t i = 0; i < u->len; i++) {
        const struct descriptor *blob = u->layers[i].blob;
        struct event_layer event = {.digest = blob->digest, .total = blob->size};

        event_progress(&event, "waiting", 0);
    }
}

int unpack_run(struct unpack *u, struct error *err)
{
    size_t wanted = u->concurrency < u->len ? u->concurrency : u->len, started = 0;
    pthread_t threads[UNPACK_CONCURRENCY_MAX];
    struct run r = {.unpack = u, .ready = xcalloc(u->len + 1, sizeof *r.ready)};

    announce(u);
    pthread_mutex_init(&r.lock, NULL);
    /* This thread is one of them. */
    while (started + 1 < wanted && started < UNPACK_CONCURRENCY_MAX &&
           pthread_create(&threads[started], NULL, work, &r) == 0)
        started++;
    work(&r);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    for (size_t i = 0; i < u->len; i++)
        layer_free(r.ready[i]);
    free(r.ready);
    pthread_mutex_destroy(&r.lock);
    if (r.failed) {
        *err = r.failure;
        return -1;
    }
    return u->len ? layer_sync_names(u->root, err) : 0;
}
