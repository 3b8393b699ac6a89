// SPDX-License-Identifier: Apache-2.0
#include "imaged/unpack.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/own.h"
#include "imaged/event.h"
#include "imaged/layer.h"
#include "imaged/sha.h"
#include "imaged/stop.h"

/* Threads unpack layers; the one that started them gives the names, to many at once, since each
 * time all that is on the way to the disk has to get there: compressed layers too, which are thrown
 * away soon. Who waits for one of the layers is not kept waiting. */
enum { PUBLISH_DELAY_MS = 2000, LOOK_UP_MS = 50 };

struct run {
    struct unpack *unpack;
    size_t published;     /* how many from the lowest up; the publishing thread's */
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t changed;
    size_t next;    /* to be taken by a thread */
    size_t working; /* threads */
    struct layer *
        *ready; /* unpacked, not yet published; the publishing thread's once they are there */
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

static void hand_in(struct run *r, size_t i, struct layer *taken)
{
    pthread_mutex_lock(&r->lock);
    r->ready[i] = taken;
    r->unpack->layers[i].existed = !taken;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
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
        hand_in(r, i, NULL);
        return 0;
    }
    j.layer = layer;
    if (fetch(&j, err) < 0)
        return -1;
    target->usage = layer_usage(layer);
    target->compressed = layer_is_compressed(layer);
    event_progress(&j.event, "done", j.received);
    hand_in(r, i, TAKE(layer));
    return 0;
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
    pthread_mutex_lock(&r->lock);
    r->working--;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* --- names --- */

static int settle(struct run *r, size_t until, struct error *err)
{
    struct unpack *u = r->unpack;
    AUTO_FINI(strv) lowers = {0};

    for (size_t i = 0; i < until; i++) {
        AUTO_FREE char *files = r->ready[i] ? layer_files(r->ready[i])
                                            : layer_final_files(u->root, u->layers[i].chain_id);

        if (r->ready[i] && layer_settle(r->ready[i], &lowers, err) < 0)
            return error_wrap(err, "layer %s", u->layers[i].blob->digest);
        strv_add(&lowers, files);
    }
    return 0;
}

/* From the lowest up, so that what is there never lacks a layer below. */
static int publish(struct run *r, size_t until, struct error *err)
{
    struct unpack *u = r->unpack;

    if (settle(r, until, err) < 0 || layer_sync(u->root, err) < 0)
        return -1;
    for (; r->published < until; r->published++) {
        struct layer **l = &r->ready[r->published];

        if (*l && layer_publish(*l, err) < 0)
            return error_wrap(err, "layer %s", u->layers[r->published].blob->digest);
        layer_free(TAKE(*l));
    }
    return 0;
}

/* Those from the lowest up that can have their names; true when one of them has none yet. The lock
 * is held. */
static bool find_ready(const struct run *r, size_t *out_until, bool *out_awaited)
{
    bool found = false;
    size_t i = r->published;

    for (*out_awaited = false; i < r->unpack->len; i++) {
        if (!r->ready[i] && !r->unpack->layers[i].existed)
            break;
        found = found || r->ready[i];
        *out_awaited = *out_awaited || (r->ready[i] && layer_is_awaited(r->ready[i]));
    }
    *out_until = i;
    return found;
}

/* The lock is held. */
static void wait_for_more(struct run *r, bool soon)
{
    int64_t at_ns = clock_monotonic_ns() + LOOK_UP_MS * CLOCK_NS_PER_MS;
    struct timespec at = {.tv_sec = at_ns / CLOCK_NS_PER_S, .tv_nsec = at_ns % CLOCK_NS_PER_S};

    if (soon)
        pthread_cond_timedwait(&r->changed, &r->lock, &at);
    else
        pthread_cond_wait(&r->changed, &r->lock);
}

/* False when there are none and there will be none. */
static bool wait_for_ready(struct run *r, size_t *out_until)
{
    int64_t since_ns = 0;
    bool found, awaited;

    pthread_mutex_lock(&r->lock);
    while (found = find_ready(r, out_until, &awaited), r->working > 0 && !awaited) {
        int64_t now_ns = clock_monotonic_ns();

        if (found && since_ns == 0)
            since_ns = now_ns;
        if (found && now_ns - since_ns >= PUBLISH_DELAY_MS * CLOCK_NS_PER_MS)
            break;
        wait_for_more(r, found);
    }
    pthread_mutex_unlock(&r->lock);
    return found;
}

static void publish_all(struct run *r)
{
    struct error err;
    size_t until;

    while (wait_for_ready(r, &until)) {
        if (publish(r, until, &err) == 0)
            continue;
        fail(r, &err);
        return;
    }
}

/* --- the whole --- */

static void announce(const struct unpack *u)
{
    for (size_t i = 0; i < u->len; i++) {
        const struct descriptor *blob = u->layers[i].blob;
        struct event_layer event = {.digest = blob->digest, .total = blob->size};

        event_progress(&event, "waiting", 0);
    }
}

/* How many there are. */
static int start(struct run *r, pthread_t threads[static UNPACK_CONCURRENCY_MAX], struct error *err)
{
    const struct unpack *u = r->unpack;
    size_t wanted = u->concurrency < u->len ? u->concurrency : u->len;
    int code = 0;

    pthread_mutex_lock(&r->lock);
    while (code == 0 && r->working < wanted && r->working < UNPACK_CONCURRENCY_MAX) {
        code = pthread_create(&threads[r->working], NULL, work, r);
        r->working += code == 0;
    }
    wanted = r->working;
    pthread_mutex_unlock(&r->lock);
    return wanted || code == 0 ? (int)wanted : error_errno(err, code, "start thread");
}

static void init(struct run *r, struct unpack *u)
{
    pthread_condattr_t monotonic;

    *r = (struct run){.unpack = u, .ready = xcalloc(u->len + 1, sizeof *r->ready)};
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void fini(struct run *r)
{
    for (size_t i = 0; i < r->unpack->len; i++)
        layer_free(r->ready[i]);
    free(r->ready);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
}

int unpack_run(struct unpack *u, struct error *err)
{
    pthread_t threads[UNPACK_CONCURRENCY_MAX] = {0};
    struct run r;
    int started;

    announce(u);
    init(&r, u);
    started = start(&r, threads, err);
    publish_all(&r);
    for (int i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    fini(&r);
    if (r.failed)
        *err = r.failure;
    if (started < 0 || r.failed)
        return -1;
    return u->len ? layer_sync_names(u->root, err) : 0;
}
