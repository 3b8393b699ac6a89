// SPDX-License-Identifier: Apache-2.0
#include "imaged/assembly.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "image/image_config.h"
#include "image/manifest.h"
#include "imaged/blob.h"
#include "imaged/event.h"

/* The parts of one image, as they are found on the way from its name to its layers. */
struct parts {
    const struct descriptor *target;
    const struct buf *target_body;
    struct descriptor manifest_at; /* the same as target unless that is an index */
    struct buf manifest_body;
    struct manifest *manifest;
    bool platform_stated;
    struct buf config_body;
    struct image_config config;
    struct unpack_layer *layers;
    size_t n_layers;
};

static void parts_fini(struct parts *p)
{
    descriptor_fini(&p->manifest_at);
    buf_fini(&p->manifest_body);
    manifest_free(p->manifest);
    buf_fini(&p->config_body);
    image_config_fini(&p->config);
    free(p->layers);
}

/* One step from an index towards the manifest for the platform. */
static int descend(const struct assembly *a, struct parts *p, const struct manifest *index,
                   struct error *err)
{
    const struct descriptor *entry = manifest_select(index, &a->platform, err);

    if (!entry)
        return error_wrap(err, "manifest %s", p->manifest_at.digest);
    p->platform_stated = entry->has_platform;
    descriptor_copy(&p->manifest_at, entry);
    p->manifest_body.len = 0;
    return a->source.load(a->source.data, &p->manifest_at, &p->manifest_body, err);
}

static int parse(struct parts *p, const struct buf *body, struct error *err)
{
    manifest_free(p->manifest);
    p->manifest = manifest_parse(body->data, body->len, p->manifest_at.media_type, err);
    return p->manifest ? 0 : error_wrap(err, "manifest %s", p->manifest_at.digest);
}

static int find_manifest(const struct assembly *a, struct parts *p, struct error *err)
{
    int depth = 0;

    descriptor_copy(&p->manifest_at, p->target);
    if (parse(p, p->target_body, err) < 0)
        return -1;
    for (; p->manifest->kind != MEDIA_TYPE_MANIFEST && depth < MANIFEST_DEPTH_MAX; depth++)
        if (descend(a, p, p->manifest, err) < 0 || parse(p, &p->manifest_body, err) < 0)
            return -1;
    if (p->manifest->kind != MEDIA_TYPE_MANIFEST)
        return error_set(err, ERROR_EXHAUSTED, "manifest %s: indexes are more than %d deep",
                         p->target->digest, MANIFEST_DEPTH_MAX);
    return 0;
}

static int check_layer_types(const struct manifest *m, struct error *err)
{
    for (size_t i = 0; i < m->layers_len; i++) {
        const char *type = m->layers[i].media_type;

        if (media_type_of(type) != MEDIA_TYPE_LAYER || strstr(type, "+encrypted"))
            return error_set(err, ERROR_UNIMPLEMENTED, "a layer has the type \"%s\"", type);
    }
    return 0;
}

/* Old images have a configuration without a type of its own. */
static int check_types(const struct manifest *m, struct error *err)
{
    const char *type = m->config.media_type;

    if (media_type_of(type) != MEDIA_TYPE_CONFIG && strcmp(type, "application/octet-stream") != 0)
        return error_set(err, ERROR_INVALID,
                         "it is not an image of a container, but an artifact of type \"%s\"",
                         m->artifact_type && *m->artifact_type ? m->artifact_type : type);
    return check_layer_types(m, err);
}

static int load_config(const struct assembly *a, struct parts *p, struct error *err)
{
    if (a->source.load(a->source.data, &p->manifest->config, &p->config_body, err) < 0)
        return error_wrap(err, "image configuration");
    return image_config_parse(p->config_body.data ? p->config_body.data : "", p->config_body.len,
                              &p->config, err);
}

/* An index need not state platforms: then the configuration does. */
static int check_platform(const struct assembly *a, const struct parts *p, struct error *err)
{
    char has[PLATFORM_TEXT_SIZE], wanted[PLATFORM_TEXT_SIZE];

    if (strcmp(p->manifest_at.digest, p->target->digest) == 0 || p->platform_stated)
        return 0;
    if (platform_rank(&a->platform, &p->config.platform) >= 0)
        return 0;
    platform_format(&p->config.platform, has);
    platform_format(&a->platform, wanted);
    return error_set(err, ERROR_NOT_FOUND, "no match for platform %s: the image is for %s", wanted,
                     has);
}

static int plan_layers(struct parts *p, struct error *err)
{
    const struct image_config *c = &p->config;
    const struct manifest *m = p->manifest;

    if (c->n_layers != m->layers_len)
        return error_set(err, ERROR_INVALID, "the manifest has %zu layers, the configuration %zu",
                         m->layers_len, c->n_layers);
    p->n_layers = m->layers_len;
    p->layers = xcalloc(p->n_layers + 1, sizeof *p->layers);
    for (size_t i = 0; i < p->n_layers; i++) {
        p->layers[i].blob = &m->layers[i];
        memcpy(p->layers[i].diff_id, c->diff_ids[i], DIGEST_SIZE);
    }
    unpack_chain(p->layers, p->n_layers);
    return 0;
}

/* From now on nobody removes these. */
static void announce(const struct parts *p)
{
    struct json_object *event = json_object_new_object(), *ids;

    json_add_str(event, "event", "layers");
    ids = json_add_array(event, "chain_ids");
    for (size_t i = 0; i < p->n_layers; i++)
        json_add_str(ids, NULL, p->layers[i].chain_id);
    event_send(event);
}

static int unpack(const struct assembly *a, struct parts *p, struct error *err)
{
    struct unpack u = {.root = a->root,
                       .layers = p->layers,
                       .len = p->n_layers,
                       .concurrency = a->concurrency,
                       .fetch = a->source.fetch,
                       .source = a->source.data};

    announce(p);
    return unpack_run(&u, err);
}

static int store(const struct assembly *a, const struct parts *p, struct error *err)
{
    const struct buf *t = p->target_body, *m = &p->manifest_body, *c = &p->config_body;

    if (blob_store(a->root, p->manifest->config.digest, c->data, c->len, err) < 0)
        return -1;
    if (m->len && blob_store(a->root, p->manifest_at.digest, m->data, m->len, err) < 0)
        return -1;
    return blob_store(a->root, p->target->digest, t->data, t->len, err);
}

/* As the descriptors state it. */
static int64_t total_size(const struct parts *p)
{
    int64_t size = (int64_t)(p->target_body->len + p->manifest_body.len + p->config_body.len);

    for (size_t i = 0; i < p->n_layers; i++)
        size += p->layers[i].blob->size;
    return size;
}

static void add_layers(struct json_object *event, const struct parts *p)
{
    struct json_object *layers = json_add_array(event, "layers");

    for (size_t i = 0; i < p->n_layers; i++) {
        struct json_object *layer = json_add_object(layers, NULL);

        json_add_str(layer, "digest", p->layers[i].blob->digest);
        json_add_str(layer, "diff_id", p->layers[i].diff_id);
        json_add_str(layer, "chain_id", p->layers[i].chain_id);
        json_add_int(layer, "size", p->layers[i].blob->size);
        json_add_uint(layer, "used_bytes", p->layers[i].usage.bytes);
        json_add_uint(layer, "inodes", p->layers[i].usage.inodes);
    }
}

static void tell(const struct assembly *a, struct parts *p)
{
    struct json_object *event = json_object_new_object(), *names, *target;

    json_add_str(event, "event", "image");
    names = json_add_array(event, "names");
    for (size_t i = 0; i < a->names->len; i++)
        json_add_str(names, NULL, a->names->items[i]);
    json_add_str(event, "id", p->manifest->config.digest);
    target = json_add_object(event, "target");
    json_add_str(target, "digest", p->target->digest);
    json_add_str(target, "media_type", p->target->media_type);
    json_add_str(event, "manifest", p->manifest_at.digest);
    json_add_int(event, "size", total_size(p));
    json_add(event, "config", TAKE(p->config.json));
    add_layers(event, p);
    event_send(event);
}

static int assemble(const struct assembly *a, struct parts *p, struct error *err)
{
    if (find_manifest(a, p, err) < 0 || check_types(p->manifest, err) < 0 ||
        load_config(a, p, err) < 0 || check_platform(a, p, err) < 0 || plan_layers(p, err) < 0 ||
        unpack(a, p, err) < 0 || store(a, p, err) < 0)
        return -1;
    tell(a, p);
    return 0;
}

int assembly_run(const struct assembly *a, const struct descriptor *target, struct buf *body,
                 struct error *err)
{
    struct parts p = {.target = target,
                      .target_body = body,
                      .manifest_body = BUF(MANIFEST_BYTES_MAX),
                      .config_body = BUF(MANIFEST_BYTES_MAX)};
    int result = 0;

    if (body->len == 0)
        result = a->source.load(a->source.data, target, body, err);
    if (result == 0)
        result = assemble(a, &p, err);
    parts_fini(&p);
    return result;
}
