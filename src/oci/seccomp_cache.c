// SPDX-License-Identifier: Apache-2.0
#include "oci/seccomp_cache.h"

#include <fcntl.h>
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <pthread.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/map.h"
#include "base/own.h"

enum { PROGRAM_MAX = BPF_MAXINSNS * (int)sizeof(struct sock_filter), USED_FOR_S = 3600 };

static const char annotation[] = "run.oci.seccomp_bpf_data";

struct program {
    int64_t made_ns; /* monotonic */
    char *base64;
};

struct seccomp_cache {
    pthread_mutex_t lock;
    struct map programs; /* the profile's text → struct program */
};

static void program_free(struct program *p)
{
    if (!p)
        return;
    free(p->base64);
    free(p);
}

static void forget_all(struct seccomp_cache *c)
{
    const struct map_slot *slot;

    for (size_t at = 0; (slot = map_next(&c->programs, &at));)
        program_free(slot->value);
    map_fini(&c->programs);
    c->programs = (struct map){0};
}

struct seccomp_cache *seccomp_cache_new(void)
{
    struct seccomp_cache *c = xcalloc(1, sizeof *c);

    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void seccomp_cache_free(struct seccomp_cache *c)
{
    if (!c)
        return;
    forget_all(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* False when it is not known. */
static bool add_program(struct seccomp_cache *c, const char *profile, struct json_object *to)
{
    const struct program *p;
    bool is_known;

    pthread_mutex_lock(&c->lock);
    p = map_find(&c->programs, profile);
    is_known = p && clock_monotonic_ns() - p->made_ns < USED_FOR_S * CLOCK_NS_PER_S;
    if (is_known)
        json_add_str(to, annotation, p->base64);
    pthread_mutex_unlock(&c->lock);
    return is_known;
}

char *seccomp_cache_apply(struct seccomp_cache *c, struct json_object *spec)
{
    struct json_object *profile = json_get(json_get(spec, "linux"), "seccomp");
    struct json_object *annotations = json_get(spec, "annotations");
    AUTO_FREE char *text = NULL;

    if (!profile || !annotations || json_get(annotations, annotation))
        return NULL;
    text = xstrdup(json_text(profile));
    return add_program(c, text, annotations) ? NULL : TAKE(text);
}

void seccomp_cache_learn(struct seccomp_cache *c, const char *profile, const char *path)
{
    AUTO_FINI(buf) bytes = BUF(PROGRAM_MAX);
    struct program *p;
    struct error ignored;

    if (file_load(AT_FDCWD, path, &bytes, &ignored) < 0 || bytes.len == 0 ||
        bytes.len % sizeof(struct sock_filter) != 0)
        return;
    p = xcalloc(1, sizeof *p);
    p->made_ns = clock_monotonic_ns();
    p->base64 = base64_encode_text(bytes.data, bytes.len);
    pthread_mutex_lock(&c->lock);
    if (c->programs.len == SECCOMP_CACHE_MAX && !map_find(&c->programs, profile))
        forget_all(c);
    program_free(map_put(&c->programs, profile, p));
    pthread_mutex_unlock(&c->lock);
}
