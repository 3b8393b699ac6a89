// SPDX-License-Identifier: Apache-2.0
#include "stream/tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"

struct entry {
    struct list link; /* of those that are outstanding, oldest first */
    char token[TOKENS_SIZE];
    int64_t until_ns;
    struct stream_request *request;
};

struct tokens {
    pthread_mutex_t lock;
    struct map by_token;
    struct list entries;
};

struct tokens *tokens_new(void)
{
    struct tokens *t = xcalloc(1, sizeof *t);

    pthread_mutex_init(&t->lock, NULL);
    list_init(&t->entries);
    return t;
}

static struct stream_request *drop(struct tokens *t, struct entry *e)
{
    struct stream_request *request = e->request;

    map_remove(&t->by_token, e->token);
    list_remove(&e->link);
    free(e);
    return request;
}

void tokens_free(struct tokens *t)
{
    if (!t)
        return;
    while (!list_is_empty(&t->entries))
        stream_request_free(drop(t, LIST_OF(t->entries.next, struct entry, link)));
    map_fini(&t->by_token);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void make_token(char out[static TOKENS_SIZE])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char random[TOKENS_LEN];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort(); /* as few bytes as these come whole or the kernel has none of the call */
    for (size_t i = 0; i < TOKENS_LEN; i++)
        out[i] = letters[random[i] % 64];
    out[TOKENS_LEN] = '\0';
}

static void drop_expired(struct tokens *t, int64_t now_ns)
{
    LIST_EACH(link, &t->entries)
    {
        struct entry *e = LIST_OF(link, struct entry, link);

        if (e->until_ns > now_ns)
            return;
        stream_request_free(drop(t, e));
    }
}

int tokens_add(struct tokens *t, struct stream_request *taken, int64_t now_ns,
               char out[static TOKENS_SIZE], struct error *err)
{
    AUTO(stream_request) *request = taken;
    struct entry *e = NULL;

    pthread_mutex_lock(&t->lock);
    drop_expired(t, now_ns);
    if (t->by_token.len < TOKENS_MAX) {
        e = xcalloc(1, sizeof *e);
        make_token(e->token);
        e->until_ns = now_ns + TOKENS_LIFE_MS * CLOCK_NS_PER_MS;
        e->request = TAKE(request);
        list_add(&t->entries, &e->link);
        map_put(&t->by_token, e->token, e);
        memcpy(out, e->token, TOKENS_SIZE);
    }
    pthread_mutex_unlock(&t->lock);
    if (!e)
        return error_set(err, ERROR_EXHAUSTED, "maximum number of in-flight requests exceeded");
    return 0;
}

struct stream_request *tokens_take(struct tokens *t, const char *token, int64_t now_ns)
{
    struct stream_request *request = NULL;
    struct entry *e;

    pthread_mutex_lock(&t->lock);
    drop_expired(t, now_ns);
    e = map_find(&t->by_token, token);
    if (e)
        request = drop(t, e);
    pthread_mutex_unlock(&t->lock);
    return request;
}
