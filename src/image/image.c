// SPDX-License-Identifier: Apache-2.0
#include "image/image.h"

#include <string.h>

#include "base/json.h"
#include "image/digest.h"
#include "image/manifest.h"

struct image *image_new(const char *id)
{
    struct image *i = xcalloc(1, sizeof *i);

    i->refs = 1;
    i->id = xstrdup(id);
    return i;
}

struct image *image_ref(struct image *i)
{
    i->refs++;
    return i;
}

void image_free(struct image *i)
{
    if (!i || --i->refs > 0)
        return;
    for (size_t n = 0; n < i->n_layers; n++) {
        free(i->layers[n].chain_id);
        free(i->layers[n].digest);
    }
    free(i->layers);
    strv_fini(&i->names);
    free(i->id);
    free(i->target);
    free(i->manifest);
    free(i->config);
    free(i->user);
    free(i);
}

void image_add_layer(struct image *i, const struct image_layer *layer)
{
    struct image_layer *copy;

    i->layers = xrealloc(i->layers, (i->n_layers + 1) * sizeof *i->layers);
    copy = &i->layers[i->n_layers++];
    *copy = *layer;
    copy->chain_id = xstrdup(layer->chain_id);
    copy->digest = xstrdup(layer->digest);
}

void image_set_config(struct image *i, char *taken)
{
    struct error ignored;
    JSON_AUTO *config = json_parse(taken, strlen(taken), &ignored);
    const char *user = json_get_str(json_get(config, "config"), "User");

    i->config = taken;
    i->user = user && *user ? xstrdup(user) : NULL;
}

struct image *image_copy_unnamed(const struct image *i)
{
    struct image *copy = image_new(i->id);

    copy->target = xstrdup(i->target);
    copy->manifest = xstrdup(i->manifest);
    copy->config = xstrdup(i->config);
    copy->user = i->user ? xstrdup(i->user) : NULL;
    copy->size = i->size;
    copy->pulled_ns = i->pulled_ns;
    for (size_t n = 0; n < i->n_layers; n++)
        image_add_layer(copy, &i->layers[n]);
    return copy;
}

/* A digest becomes a path, so nothing else may pass. */
static const char *get_digest(struct json_object *from, const char *key, struct error *err)
{
    const char *text = json_get_str(from, key);

    if (!text || !digest_is_valid(text)) {
        error_set(err, ERROR_INTERNAL, "berth-image: %s \"%s\" is no digest", key,
                  text ? text : "");
        return NULL;
    }
    return text;
}

static int get_count(struct json_object *from, const char *key, uint64_t *out, struct error *err)
{
    int64_t value = json_get_int(from, key, 0);

    if (value < 0)
        return error_set(err, ERROR_INTERNAL, "berth-image: %s is negative", key);
    *out = (uint64_t)value;
    return 0;
}

static int parse_layer(struct image *i, struct json_object *from, struct error *err)
{
    const char *chain_id = get_digest(from, "chain_id", err);
    const char *digest = chain_id ? get_digest(from, "digest", err) : NULL;
    struct image_layer layer = {0};

    if (!digest || get_count(from, "size", &layer.size, err) < 0 ||
        get_count(from, "used_bytes", &layer.used_bytes, err) < 0 ||
        get_count(from, "inodes", &layer.inodes, err) < 0)
        return -1;
    layer.chain_id = (char *)chain_id;
    layer.digest = (char *)digest;
    image_add_layer(i, &layer);
    return 0;
}

static int parse_rest(struct image *i, struct json_object *event, struct error *err)
{
    struct json_object *names = json_get(event, "names"), *layers = json_get(event, "layers");
    const char *manifest = get_digest(event, "manifest", err);
    const char *target = manifest ? get_digest(json_get(event, "target"), "digest", err) : NULL;

    if (!target)
        return -1;
    i->manifest = xstrdup(manifest);
    i->target = xstrdup(target);
    image_set_config(i, xstrdup(json_text(json_get(event, "config"))));
    if (get_count(event, "size", &i->size, err) < 0)
        return -1;
    if (json_len(layers) > MANIFEST_LAYERS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "the image has more than %d layers",
                         MANIFEST_LAYERS_MAX);
    for (size_t n = 0; n < json_len(layers); n++)
        if (parse_layer(i, json_at(layers, n), err) < 0)
            return -1;
    for (size_t n = 0; n < json_len(names); n++)
        if (json_str(json_at(names, n)))
            strv_add(&i->names, json_str(json_at(names, n)));
    return 0;
}

struct image *image_parse(struct json_object *event, struct error *err)
{
    const char *id = get_digest(event, "id", err);
    AUTO(image) *i = id ? image_new(id) : NULL;

    if (!i || parse_rest(i, event, err) < 0)
        return NULL;
    return TAKE(i);
}

static const char *find_name(const struct image *i, bool with_digest)
{
    for (size_t n = 0; n < i->names.len; n++)
        if ((strchr(i->names.items[n], '@') != NULL) == with_digest)
            return i->names.items[n];
    return NULL;
}

const char *image_tag(const struct image *i)
{
    return find_name(i, false);
}

const char *image_digest_name(const struct image *i)
{
    return find_name(i, true);
}
