// SPDX-License-Identifier: Apache-2.0
#include "cri/image_message.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"

static void drop(void *object)
{
    image_free(object);
}

static void add_names(const struct image *i, struct arena *a, Runtime__V1__Image *m)
{
    m->repo_tags = arena_alloc(a, i->names.len * sizeof *m->repo_tags);
    m->repo_digests = arena_alloc(a, i->names.len * sizeof *m->repo_digests);
    for (size_t n = 0; n < i->names.len; n++) {
        if (strchr(i->names.items[n], '@'))
            m->repo_digests[m->n_repo_digests++] = i->names.items[n];
        else
            m->repo_tags[m->n_repo_tags++] = i->names.items[n];
    }
}

/* What stands before the colon: a number is a uid, anything else a name. */
static void add_user(const struct image *i, struct arena *a, Runtime__V1__Image *m)
{
    char *name, *end;
    long long uid;

    if (!i->user)
        return;
    name = arena_strdup(a, i->user);
    name[strcspn(name, ":")] = '\0';
    errno = 0;
    uid = strtoll(name, &end, 10);
    if (end == name || *end || errno) {
        m->username = name;
        return;
    }
    m->uid = arena_new(a, &runtime__v1__int64_value__descriptor);
    m->uid->value = uid;
}

Runtime__V1__Image *image_message_of(struct image *i, struct arena *a)
{
    Runtime__V1__Image *m = arena_new(a, &runtime__v1__image__descriptor);

    arena_defer(a, drop, image_ref(i));
    m->id = i->id;
    m->size = i->size ? i->size : 1;
    add_names(i, a, m);
    add_user(i, a, m);
    return m;
}

char *image_message_info(const struct image *i, struct arena *a)
{
    JSON_AUTO *info = json_object_new_object();
    struct error ignored;
    struct json_object *config = json_parse(i->config, strlen(i->config), &ignored);

    if (i->n_layers)
        json_add_str(info, "chainID", i->layers[i->n_layers - 1].chain_id);
    if (config)
        json_add(info, "imageSpec", config);
    return arena_strdup(a, json_text(info));
}
