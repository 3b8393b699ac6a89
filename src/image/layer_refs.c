// SPDX-License-Identifier: Apache-2.0
#include "image/layer_refs.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/map.h"
#include "base/own.h"

struct layer_refs {
    char *folder; /* <root>/layers */
    pthread_mutex_t lock;
    struct map counts; /* hex → count, as a pointer-sized number */
};

struct layer_refs *layer_refs_new(const char *root)
{
    struct layer_refs *r = xcalloc(1, sizeof *r);

    r->folder = xasprintf("%s/layers", root);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

void layer_refs_free(struct layer_refs *r)
{
    if (!r)
        return;
    map_fini(&r->counts);
    pthread_mutex_destroy(&r->lock);
    free(r->folder);
    free(r);
}

static const char *hex_of(const char *chain_id)
{
    const char *colon = strchr(chain_id, ':');

    return colon ? colon + 1 : chain_id;
}

char *layer_refs_path(const struct layer_refs *r, const char *chain_id)
{
    return xasprintf("%s/%s", r->folder, hex_of(chain_id));
}

/* Under the lock: makes the name free at once, so that a later fetch starts anew. Returns the
 * folder's new path, or NULL. */
static char *set_aside(struct layer_refs *r, const char *hex)
{
    static unsigned counter;
    AUTO_FREE char *path = xasprintf("%s/%s", r->folder, hex);
    AUTO_FREE char *aside = xasprintf("%s/.old-%d-%u", r->folder, getpid(), counter++);

    return rename(path, aside) == 0 ? TAKE(aside) : NULL;
}

static void remove_aside(char *aside)
{
    struct error err;

    if (aside && file_remove_tree(AT_FDCWD, aside, &err) < 0)
        log_warn("a layer that nobody needs stays on disk: %s", err.text);
    free(aside);
}

void layer_refs_hold(struct layer_refs *r, const char *chain_id)
{
    const char *hex = hex_of(chain_id);

    pthread_mutex_lock(&r->lock);
    map_put(&r->counts, hex, (void *)((uintptr_t)map_find(&r->counts, hex) + 1));
    pthread_mutex_unlock(&r->lock);
}

/* Under the lock: true when nobody needs it any more. */
static bool drop_one(struct layer_refs *r, const char *hex)
{
    uintptr_t count = (uintptr_t)map_find(&r->counts, hex);

    if (count > 1)
        map_put(&r->counts, hex, (void *)(count - 1));
    else
        map_remove(&r->counts, hex);
    return count == 1;
}

void layer_refs_release(struct layer_refs *r, const char *chain_id)
{
    const char *hex = hex_of(chain_id);
    char *aside = NULL;

    pthread_mutex_lock(&r->lock);
    if (drop_one(r, hex))
        aside = set_aside(r, hex);
    pthread_mutex_unlock(&r->lock);
    remove_aside(aside);
}

void layer_refs_let_go(struct layer_refs *r, const char *chain_id)
{
    pthread_mutex_lock(&r->lock);
    drop_one(r, hex_of(chain_id));
    pthread_mutex_unlock(&r->lock);
}

void layer_refs_discard(struct layer_refs *r, const char *chain_id)
{
    char *aside;

    pthread_mutex_lock(&r->lock);
    aside = set_aside(r, hex_of(chain_id));
    pthread_mutex_unlock(&r->lock);
    remove_aside(aside);
}

/* A rename changes ctime. */
static bool is_older(const struct layer_refs *r, const char *name, int64_t min_age_s)
{
    AUTO_FREE char *path = xasprintf("%s/%s", r->folder, name);
    struct stat st;

    return min_age_s <= 0 || (lstat(path, &st) == 0 && time(NULL) - st.st_ctime >= min_age_s);
}

static char *take_if_free(struct layer_refs *r, const char *name)
{
    char *aside = NULL;

    pthread_mutex_lock(&r->lock);
    if (!map_find(&r->counts, name))
        aside = set_aside(r, name);
    pthread_mutex_unlock(&r->lock);
    return aside;
}

void layer_refs_collect(struct layer_refs *r, int64_t min_age_s)
{
    DIR *dir = opendir(r->folder);

    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;

        if (strncmp(name, ".old-", 5) == 0)
            remove_aside(xasprintf("%s/%s", r->folder, name));
        else if (name[0] != '.' && !strchr(name, '.') && is_older(r, name, min_age_s))
            remove_aside(take_if_free(r, name));
    }
    closedir(dir);
}
