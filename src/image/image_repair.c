// SPDX-License-Identifier: Apache-2.0
#include "image/image_repair.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "image/digest.h"
#include "image/layer_check.h"
#include "image/manifest.h"

struct image_repair {
    struct image_repair_options options;
    char *root;
    struct image **images; /* NULL where one was kept */
    size_t len;
    struct map verdicts; /* chain id → good or bad */
    size_t lost;
    int64_t young_s; /* layers that got their names since are read */
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool sifted;
};

static char good[1], bad[1];

struct image_repair *image_repair_new(const struct image_repair_options *options)
{
    struct image_repair *r = xcalloc(1, sizeof *r);

    r->options = *options;
    r->root = xstrdup(options->root);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    return r;
}

void image_repair_add(struct image_repair *r, struct image *taken)
{
    r->images = xrealloc(r->images, (r->len + 1) * sizeof *r->images);
    r->images[r->len++] = taken;
}

static char *folder_of(const struct image_repair *r, const char *chain_id)
{
    return xasprintf("%s/layers/%s", r->root, digest_hex(chain_id));
}

/* When a layer got its name; 0 when it is not there. */
static int64_t named_s(const char *folder)
{
    struct stat st;

    return lstat(folder, &st) == 0 ? st.st_ctime : 0;
}

/* The power went after everything that we know of; so this is before it, but how long? */
static void find_young(struct image_repair *r)
{
    int64_t newest = r->options.last_sign_s;

    for (size_t i = 0; i < r->len; i++) {
        for (size_t n = 0; n < r->images[i]->n_layers; n++) {
            AUTO_FREE char *folder = folder_of(r, r->images[i]->layers[n].chain_id);
            int64_t at = named_s(folder);

            newest = at > newest ? at : newest;
        }
    }
    r->young_s = newest - IMAGE_REPAIR_YOUNG_S;
}

static enum layer_depth depth_for(const struct image_repair *r, const char *folder)
{
    if (!r->options.closely)
        return LAYER_IS_THERE;
    return named_s(folder) >= r->young_s ? LAYER_DATA : LAYER_NAMES;
}

static bool is_layer_good(struct image_repair *r, const char *chain_id)
{
    AUTO_FREE char *folder = folder_of(r, chain_id);
    const char *verdict = map_find(&r->verdicts, chain_id);
    struct error err;

    if (!verdict) {
        verdict = layer_check(folder, depth_for(r, folder), &err) == 0 ? good : bad;
        map_put(&r->verdicts, chain_id, (void *)(uintptr_t)verdict);
        if (verdict == bad) {
            log_error("%s", err.text);
            r->options.remove_layer(r->options.data, chain_id);
        }
    }
    return verdict == good;
}

/* All of them are JSON, and what is damaged or cut off is none. One that is there is not stored
 * again, so a bad one goes. */
static bool is_blob_good(struct image_repair *r, const char *digest)
{
    AUTO_FREE char *path =
        xasprintf("%s/content/blobs/%s/%s", r->root,
                  digest_algorithm_name(digest_algorithm_of(digest)), digest_hex(digest));
    AUTO_FINI(buf) text = BUF(MANIFEST_BYTES_MAX);
    struct error err;
    JSON_AUTO *json = NULL;

    if (file_load(AT_FDCWD, path, &text, &err) == 0)
        json = json_parse(text.data ? text.data : "", text.len, &err);
    if (json)
        return true;
    log_error("blob %s is damaged: %s", digest, err.text);
    unlink(path);
    return false;
}

static bool has_blobs(struct image_repair *r, const struct image *i)
{
    bool has_config = is_blob_good(r, i->id), has_manifest = is_blob_good(r, i->manifest);

    return is_blob_good(r, i->target) && has_config && has_manifest;
}

static bool is_whole(struct image_repair *r, const struct image *i)
{
    bool whole = !r->options.closely || has_blobs(r, i);

    for (size_t n = 0; n < i->n_layers; n++)
        whole &= is_layer_good(r, i->layers[n].chain_id);
    return whole;
}

static void keep_or_forget(struct image_repair *r, struct image **at)
{
    if (is_whole(r, *at)) {
        r->options.keep(r->options.data, TAKE(*at));
        return;
    }
    r->options.forget(r->options.data, *at);
    r->lost++;
}

static void sift(struct image_repair *r)
{
    int64_t began_ns = clock_monotonic_ns();

    find_young(r);
    for (size_t i = 0; i < r->len; i++)
        keep_or_forget(r, &r->images[i]);
    if (r->options.closely)
        log_warn("the node went down while berthd was running: the layers of %zu images were "
                 "looked at in %lld ms, %zu images are lost",
                 r->len, (long long)((clock_monotonic_ns() - began_ns) / CLOCK_NS_PER_MS), r->lost);
    r->options.sifted(r->options.data);
    pthread_mutex_lock(&r->lock);
    r->sifted = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void *work(void *data)
{
    struct image_repair *r = data;

    if (r->options.closely)
        sift(r);
    for (size_t i = 0; i < r->len; i++)
        if (r->images[i])
            r->options.fetch_again(r->options.data, r->images[i]);
    return NULL;
}

int image_repair_start(struct image_repair *r, struct error *err)
{
    int code;

    if (!r->options.closely)
        sift(r);
    if (r->sifted && r->lost == 0)
        return 0;
    code = pthread_create(&r->thread, NULL, work, r);
    if (code != 0)
        return error_errno(err, code, "start thread");
    r->runs = true;
    return 0;
}

void image_repair_wait(struct image_repair *r)
{
    pthread_mutex_lock(&r->lock);
    while (!r->sifted)
        pthread_cond_wait(&r->changed, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

void image_repair_free(struct image_repair *r)
{
    if (!r)
        return;
    if (r->runs)
        pthread_join(r->thread, NULL);
    for (size_t i = 0; i < r->len; i++)
        image_free(r->images[i]);
    free(r->images);
    map_fini(&r->verdicts);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r->root);
    free(r);
}
