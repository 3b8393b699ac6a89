// SPDX-License-Identifier: Apache-2.0
#include "imaged/auth.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "imaged/token.h"

/* What one host asked for. Changed under the lock only, and while it is fetching only by the
 * thread that fetches. */
struct session {
    char *header; /* what to send; NULL: a token has to be fetched */
    char *realm;  /* NULL: basic, or a token that was given to us */
    char *service;
    struct strv scopes;
    int64_t expires_ns; /* clock_monotonic_ns(); 0: never */
    bool fetching;
};

struct auth {
    char *scope;
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    struct map sessions; /* by authority */
};

struct auth *auth_new(const char *scope)
{
    struct auth *a = xcalloc(1, sizeof *a);

    a->scope = xstrdup(scope);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->fetched, NULL);
    return a;
}

static void free_session(struct session *s)
{
    if (!s)
        return;
    free(s->header);
    free(s->realm);
    free(s->service);
    strv_fini(&s->scopes);
    free(s);
}

void auth_free(struct auth *a)
{
    const struct map_slot *slot;
    size_t at = 0;

    if (!a)
        return;
    while ((slot = map_next(&a->sessions, &at)))
        free_session(slot->value);
    map_fini(&a->sessions);
    free(a->scope);
    pthread_cond_destroy(&a->fetched);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* Called and returns with the lock held, and lets go of it meanwhile. */
static int fetch(struct auth *a, const struct auth_host *host, struct session *s, struct error *err)
{
    static const struct credentials anonymous;
    const struct token_request request = {.client = host->client,
                                          .headers = host->headers,
                                          .credentials =
                                              host->credentials ? host->credentials : &anonymous,
                                          .realm = s->realm,
                                          .service = s->service,
                                          .scopes = &s->scopes};
    AUTO_FREE char *token = NULL;
    int64_t life_ms = 0;
    int done;

    s->fetching = true;
    pthread_mutex_unlock(&a->lock);
    done = token_fetch(&request, &token, &life_ms, err);
    pthread_mutex_lock(&a->lock);
    s->fetching = false;
    free(s->header);
    s->header = done < 0 ? NULL : xasprintf("Bearer %s", token);
    /* A little early, so that it still holds when it gets there. */
    s->expires_ns = clock_monotonic_ns() + life_ms * CLOCK_NS_PER_MS * 9 / 10;
    pthread_cond_broadcast(&a->fetched);
    return done;
}

static bool is_stale(const struct session *s)
{
    return s->realm && (!s->header || clock_monotonic_ns() >= s->expires_ns);
}

/* With the lock held. */
static struct session *settled(struct auth *a, const char *authority)
{
    struct session *s = map_find(&a->sessions, authority);

    while (s && s->fetching)
        pthread_cond_wait(&a->fetched, &a->lock);
    return s;
}

int auth_header(struct auth *a, const struct auth_host *host, char **out, struct error *err)
{
    struct session *s;
    int done = 0;

    pthread_mutex_lock(&a->lock);
    s = settled(a, host->authority);
    if (s && is_stale(s))
        done = fetch(a, host, s, err);
    if (done == 0)
        *out = s && s->header ? xstrdup(s->header) : NULL;
    pthread_mutex_unlock(&a->lock);
    return done;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The challenge's scopes and ours, sorted, each once. */
static void set_scopes(struct session *s, const char *text, const char *own)
{
    struct strv all = {0};

    strv_add_split(&all, text ? text : "", ' ');
    strv_add(&all, own);
    qsort(all.items, all.len, sizeof *all.items, by_text);
    strv_fini(&s->scopes);
    for (size_t i = 0; i < all.len; i++)
        if (!strv_contains(&s->scopes, all.items[i]))
            strv_add(&s->scopes, all.items[i]);
    strv_fini(&all);
}

static void forget(struct session *s)
{
    free(s->header);
    free(s->realm);
    free(s->service);
    s->header = s->realm = s->service = NULL;
    s->expires_ns = 0;
}

/* With the lock held. The session then has a header, or a realm to fetch a token from. */
static int follow(struct auth *a, const struct auth_host *host, struct session *s,
                  const struct challenge *c, struct error *err)
{
    const struct credentials *own = host->credentials;

    forget(s);
    if (!c)
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "%s wants an authentication that is not supported", host->authority);
    if (own && own->bearer) {
        s->header = xasprintf("Bearer %s", own->bearer);
    } else if (c->scheme == CHALLENGE_BEARER) {
        s->realm = xstrdup(c->realm);
        s->service = c->service ? xstrdup(c->service) : NULL;
        set_scopes(s, c->scope, a->scope);
    } else if (!own || !own->secret || !*own->username) {
        return error_set(err, ERROR_UNAUTHENTICATED,
                         "%s wants a username and a password, and there are none for it",
                         host->authority);
    } else {
        s->header = credentials_basic(own);
    }
    return 0;
}

static int answer_challenge(struct auth *a, const struct auth_host *host, const struct challenge *c,
                            const char *sent, struct error *err)
{
    struct session *s = settled(a, host->authority);

    if (!s) {
        s = xcalloc(1, sizeof *s);
        map_put(&a->sessions, host->authority, s);
    }
    /* Meanwhile another thread has got something newer than what was sent. */
    if (s->header && (!sent || strcmp(s->header, sent) != 0))
        return 0;
    if (follow(a, host, s, c, err) < 0)
        return -1;
    if (!s->realm && s->header && sent && strcmp(s->header, sent) == 0)
        return error_set(err, ERROR_UNAUTHENTICATED, "%s does not accept the credentials",
                         host->authority);
    return s->realm ? fetch(a, host, s, err) : 0;
}

int auth_challenged(struct auth *a, const struct auth_host *host,
                    const struct challenge_list *challenges, const char *sent, struct error *err)
{
    int done;

    pthread_mutex_lock(&a->lock);
    done = answer_challenge(a, host, challenge_list_best(challenges), sent, err);
    pthread_mutex_unlock(&a->lock);
    return done;
}
