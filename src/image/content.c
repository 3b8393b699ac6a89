// SPDX-License-Identifier: Apache-2.0
#include "image/content.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dir.h"
#include "base/log.h"
#include "base/map.h"

struct content {
    char *folder;
    pthread_rwlock_t fetches; /* read by those who fetch, written by who removes */
    pthread_mutex_t lock;     /* of what follows */
    uint64_t changes;
    struct disk_usage usage; /* as it was at looked_ns, after so many changes */
    int64_t looked_ns;       /* 0: never looked */
    uint64_t looked_changes;
};

struct content *content_new(const char *root)
{
    struct content *c = xcalloc(1, sizeof *c);

    c->folder = xasprintf("%s/content", root);
    pthread_rwlock_init(&c->fetches, NULL);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void content_free(struct content *c)
{
    if (!c)
        return;
    pthread_rwlock_destroy(&c->fetches);
    pthread_mutex_destroy(&c->lock);
    free(c->folder);
    free(c);
}

static void note_change(struct content *c)
{
    pthread_mutex_lock(&c->lock);
    c->changes++;
    pthread_mutex_unlock(&c->lock);
}

void content_begin_fetch(struct content *c)
{
    pthread_rwlock_rdlock(&c->fetches);
}

void content_end_fetch(struct content *c)
{
    note_change(c);
    pthread_rwlock_unlock(&c->fetches);
}

static void add_needed(struct map *needed, const struct image *i)
{
    map_put(needed, i->id, needed);
    map_put(needed, i->target, needed);
    map_put(needed, i->manifest, needed);
}

/* Those of one algorithm. */
static void sweep(const char *blobs, const char *algorithm, const struct map *needed)
{
    AUTO_FREE char *folder = xasprintf("%s/%s", blobs, algorithm);
    AUTO_CLOSEDIR DIR *dir = opendir(folder);

    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        AUTO_FREE char *digest = xasprintf("%s:%s", algorithm, entry->d_name);

        if (entry->d_name[0] == '.' || map_find(needed, digest))
            continue;
        if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
            log_warn("blob %s, which no image needs, stays: %s", digest, strerror(errno));
    }
}

static void sweep_all(struct content *c, struct image_index *images)
{
    AUTO_FREE char *blobs = xasprintf("%s/blobs", c->folder);
    AUTO_CLOSEDIR DIR *dir = opendir(blobs);
    AUTO_FINI(map) needed = {0};
    size_t count;
    AUTO_FREE struct image **list = image_index_list(images, &count);

    for (size_t i = 0; i < count; i++) {
        add_needed(&needed, list[i]);
        image_free(list[i]);
    }
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            sweep(blobs, entry->d_name, &needed);
}

void content_collect(struct content *c, struct image_index *images)
{
    if (pthread_rwlock_trywrlock(&c->fetches) != 0)
        return;
    sweep_all(c, images);
    pthread_rwlock_unlock(&c->fetches);
    note_change(c);
}

void content_usage(struct content *c, struct disk_usage *out, int64_t *out_at_ns)
{
    int64_t now = clock_now_ns();
    uint64_t changes;
    bool fresh;

    pthread_mutex_lock(&c->lock);
    changes = c->changes;
    fresh = c->looked_ns && c->looked_changes == changes &&
            now - c->looked_ns < CONTENT_AGE_S * CLOCK_NS_PER_S;
    *out = c->usage;
    *out_at_ns = c->looked_ns;
    pthread_mutex_unlock(&c->lock);
    if (fresh)
        return;
    *out = disk_usage_of(c->folder);
    *out_at_ns = now;
    pthread_mutex_lock(&c->lock);
    c->usage = *out;
    c->looked_ns = now;
    c->looked_changes = changes;
    pthread_mutex_unlock(&c->lock);
}
