// SPDX-License-Identifier: Apache-2.0
#include "imaged/docker_save.h"

#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/own.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "imaged/inflate.h"
#include "imaged/sha.h"
#include "imaged/stop.h"

#define LAYER_TYPE      "application/vnd.docker.image.rootfs.diff.tar"
#define LAYER_TYPE_GZIP LAYER_TYPE ".gzip"
#define LAYER_TYPE_ZSTD LAYER_TYPE ".zstd"

void docker_save_fini(struct docker_save *d)
{
    strv_fini(&d->names);
    descriptor_fini(&d->target);
    buf_fini(&d->manifest);
    strv_fini(&d->digests);
    strv_fini(&d->files);
}

const char *docker_save_file(const struct docker_save *d, const char *digest)
{
    for (size_t i = 0; i < d->digests.len; i++)
        if (strcmp(d->digests.items[i], digest) == 0)
            return d->files.items[i];
    return NULL;
}

struct json_object *docker_save_list(const struct archive *a, struct error *err)
{
    AUTO_FINI(buf) text = BUF(MANIFEST_BYTES_MAX);
    JSON_AUTO *list = NULL;

    if (archive_load(a, DOCKER_SAVE_LIST, &text, err) < 0)
        return NULL;
    list = json_parse(text.data, text.len, err);
    if (list && !json_object_is_type(list, json_type_array)) {
        error_set(err, ERROR_INVALID, DOCKER_SAVE_LIST " is no list");
        return NULL;
    }
    return TAKE(list);
}

static int add_names(struct docker_save *d, struct json_object *tags, struct error *err)
{
    for (size_t i = 0; i < json_len(tags); i++) {
        const char *tag = json_str(json_at(tags, i));
        struct image_reference ref;
        char text[REFERENCE_TEXT_SIZE];

        if (reference_parse(tag ? tag : "", &ref, err) < 0)
            return -1;
        reference_format(&ref, text);
        strv_add(&d->names, text);
    }
    return 0;
}

static void describe(struct json_object *to, const char *type, const char *digest, int64_t size)
{
    json_add_str(to, "mediaType", type);
    json_add_int(to, "size", size);
    json_add_str(to, "digest", digest);
}

static int hash(void *sha, const void *bytes, size_t len, struct error *err)
{
    sha_add(sha, bytes, len);
    return stop_check(err);
}

static const char *type_of(const struct archive_file *file)
{
    char magic[INFLATE_MAGIC_MAX];
    size_t want = file->size < sizeof magic ? (size_t)file->size : sizeof magic;
    ssize_t n = pread(file->fd, magic, want, (off_t)file->at);
    enum inflate_format format = inflate_detect(magic, n < 0 ? 0 : (size_t)n);

    return format == INFLATE_GZIP   ? LAYER_TYPE_GZIP
           : format == INFLATE_ZSTD ? LAYER_TYPE_ZSTD
                                    : LAYER_TYPE;
}

/* A plain layer's digest is its diff id, which unpacking verifies. */
static int add_layer(struct docker_save *d, const struct archive *a, const char *name,
                     const char *diff_id, struct json_object *to, struct error *err)
{
    struct archive_file file;
    char digest[DIGEST_SIZE];
    const char *type;

    if (archive_find(a, name, &file, err) < 0)
        return -1;
    type = type_of(&file);
    fd_close(&file.fd);
    if (strcmp(type, LAYER_TYPE) == 0) {
        if (digest_parse(diff_id, digest, err) < 0)
            return -1;
    } else {
        AUTO(sha) *sha = sha_new(DIGEST_SHA256);

        if (archive_read(a, name, hash, sha, err) < 0)
            return -1;
        sha_finish(sha, digest);
    }
    describe(json_add_object(to, NULL), type, digest, (int64_t)file.size);
    strv_add(&d->digests, digest);
    strv_add(&d->files, name);
    return 0;
}

static int add_layers(struct docker_save *d, const struct archive *a, struct json_object *names,
                      struct json_object *config, struct json_object *to, struct error *err)
{
    struct json_object *ids = json_get(json_get(config, "rootfs"), "diff_ids");

    if (json_len(names) > MANIFEST_LAYERS_MAX || json_len(names) != json_len(ids))
        return error_set(err, ERROR_INVALID, "it lists %zu layers, the configuration %zu",
                         json_len(names), json_len(ids));
    for (size_t i = 0; i < json_len(names); i++) {
        const char *name = json_str(json_at(names, i));

        if (!name || add_layer(d, a, name, json_str(json_at(ids, i)), to, err) < 0)
            return name ? -1 : error_set(err, ERROR_INVALID, "layer %zu has no name", i);
    }
    return 0;
}

static int make_manifest(struct docker_save *d, const struct archive *a, struct json_object *item,
                         struct json_object *manifest, struct error *err)
{
    const char *name = json_get_str(item, "Config");
    AUTO_FINI(buf) text = BUF(MANIFEST_BYTES_MAX);
    JSON_AUTO *config = NULL;
    char digest[DIGEST_SIZE];

    if (!name || archive_load(a, name, &text, err) < 0)
        return name ? -1 : error_set(err, ERROR_INVALID, "an image has no configuration");
    config = json_parse(text.data, text.len, err);
    if (!config)
        return error_wrap(err, "%s", name);
    sha_of(DIGEST_SHA256, text.data, text.len, digest);
    strv_add(&d->digests, digest);
    strv_add(&d->files, name);
    json_add_int(manifest, "schemaVersion", 2);
    json_add_str(manifest, "mediaType", MEDIA_TYPE_DOCKER_MANIFEST);
    describe(json_add_object(manifest, "config"), MEDIA_TYPE_DOCKER_CONFIG, digest,
             (int64_t)text.len);
    return add_layers(d, a, json_get(item, "Layers"), config, json_add_array(manifest, "layers"),
                      err);
}

int docker_save_describe(struct docker_save *d, const struct archive *a, struct json_object *item,
                         struct error *err)
{
    JSON_AUTO *manifest = json_object_new_object();
    char digest[DIGEST_SIZE];
    const char *text;

    if (add_names(d, json_get(item, "RepoTags"), err) < 0 ||
        make_manifest(d, a, item, manifest, err) < 0)
        return -1;
    text = json_text(manifest);
    buf_init(&d->manifest, MANIFEST_BYTES_MAX);
    if (buf_append(&d->manifest, text, strlen(text), err) < 0)
        return -1;
    sha_of(DIGEST_SHA256, text, strlen(text), digest);
    descriptor_set(&d->target, MEDIA_TYPE_DOCKER_MANIFEST, digest, (int64_t)strlen(text));
    return 0;
}
