// SPDX-License-Identifier: Apache-2.0
#include "image/image_index.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/own.h"

struct image_index {
    pthread_mutex_t lock;
    struct map by_id;   /* id → struct image, with a reference */
    struct map by_name; /* name → the same, without */
};

struct image_index *image_index_new(void)
{
    struct image_index *x = xcalloc(1, sizeof *x);

    pthread_mutex_init(&x->lock, NULL);
    return x;
}

void image_index_free(struct image_index *x)
{
    const struct map_slot *slot;

    if (!x)
        return;
    for (size_t at = 0; (slot = map_next(&x->by_id, &at));)
        image_free(slot->value);
    map_fini(&x->by_id);
    map_fini(&x->by_name);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* Under the lock, as everything below that is static. */
static void replace(struct image_index *x, struct image *taken)
{
    struct image *old = map_put(&x->by_id, taken->id, taken);

    for (size_t i = 0; i < taken->names.len; i++)
        map_put(&x->by_name, taken->names.items[i], taken);
    image_free(old);
}

/* A new version of i without that name. */
static void drop_name(struct image_index *x, struct image *i, const char *name)
{
    struct image *copy = image_copy_unnamed(i);

    for (size_t n = 0; n < i->names.len; n++)
        if (strcmp(i->names.items[n], name) != 0)
            strv_add(&copy->names, i->names.items[n]);
    replace(x, copy);
}

void image_index_put(struct image_index *x, struct image *taken)
{
    struct image *old;

    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < taken->names.len; i++) {
        struct image *other = map_find(&x->by_name, taken->names.items[i]);

        if (other && strcmp(other->id, taken->id) != 0)
            drop_name(x, other, taken->names.items[i]);
    }
    old = map_find(&x->by_id, taken->id);
    for (size_t i = 0; old && i < old->names.len; i++)
        if (!strv_contains(&taken->names, old->names.items[i]))
            strv_add(&taken->names, old->names.items[i]);
    replace(x, taken);
    pthread_mutex_unlock(&x->lock);
}

struct image *image_index_remove(struct image_index *x, const char *id)
{
    struct image *i;

    pthread_mutex_lock(&x->lock);
    i = map_remove(&x->by_id, id);
    for (size_t n = 0; i && n < i->names.len; n++)
        map_remove(&x->by_name, i->names.items[n]);
    pthread_mutex_unlock(&x->lock);
    return i;
}

struct image *image_index_find_name(struct image_index *x, const char *name)
{
    struct image *i;

    pthread_mutex_lock(&x->lock);
    i = map_find(&x->by_name, name);
    if (i)
        image_ref(i);
    pthread_mutex_unlock(&x->lock);
    return i;
}

struct image *image_index_find_id(struct image_index *x, const char *hex, size_t *out_count)
{
    const struct map_slot *slot;
    struct image *found = NULL;
    size_t count = 0, len = strlen(hex);

    pthread_mutex_lock(&x->lock);
    for (size_t at = 0; (slot = map_next(&x->by_id, &at));) {
        const char *colon = strchr(slot->key, ':');

        if (strncmp(colon ? colon + 1 : slot->key, hex, len) == 0) {
            found = slot->value;
            count++;
        }
    }
    found = count == 1 ? image_ref(found) : NULL;
    pthread_mutex_unlock(&x->lock);
    *out_count = count;
    return found;
}

struct image **image_index_list(struct image_index *x, size_t *out_count)
{
    const struct map_slot *slot;
    struct image **list;
    size_t n = 0;

    pthread_mutex_lock(&x->lock);
    list = xcalloc(x->by_id.len + 1, sizeof(struct image *));
    for (size_t at = 0; (slot = map_next(&x->by_id, &at));)
        list[n++] = image_ref(slot->value);
    pthread_mutex_unlock(&x->lock);
    *out_count = n;
    return list;
}
