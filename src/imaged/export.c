// SPDX-License-Identifier: Apache-2.0
#include "imaged/export.h"

#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "imaged/event.h"
#include "imaged/sha.h"
#include "imaged/stop.h"
#include "imaged/tree_tar.h"
#include "wire/tar_writer.h"

#define LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"
#define BLOBS      "blobs/sha256/"
#define VERSION    "{\"imageLayoutVersion\":\"1.0.0\"}"

enum { PENDING_MAX = 256 * 1024 };

struct layer {
    char *folder;
    char digest[DIGEST_SIZE];
    uint64_t size;
};

/* Small files of the archive, which are made before anything is written. */
struct text {
    char digest[DIGEST_SIZE];
    char *data;
    size_t len;
};

struct run {
    const struct export_spec *export;
    struct layer *layers;
    size_t len;
    struct text config, manifest, index, docker;
    struct buf pending; /* small writes are gathered */
    uint64_t written;
};

static void text_fini(struct text *t)
{
    free(t->data);
}

static void run_fini(struct run *r)
{
    for (size_t i = 0; i < r->len; i++)
        free(r->layers[i].folder);
    free(r->layers);
    text_fini(&r->config);
    text_fini(&r->manifest);
    text_fini(&r->index);
    text_fini(&r->docker);
    buf_fini(&r->pending);
}

static void text_set(struct text *t, struct json_object *json)
{
    t->data = xstrdup(json_text(json));
    t->len = strlen(t->data);
    sha_of(DIGEST_SHA256, t->data, t->len, t->digest);
}

/* --- first, what everything is called --- */

struct measure {
    struct sha *sha;
    uint64_t size;
};

static int measure_write(void *sink, const void *data, size_t len, struct error *err)
{
    struct measure *m = sink;

    sha_add(m->sha, data, len);
    m->size += len;
    return stop_check(err);
}

static void tell(const struct layer *l, const char *state)
{
    struct event_layer event = {.digest = l->digest, .total = (int64_t)l->size};

    event_progress(&event, state, (int64_t)l->size);
}

static int measure_layers(struct run *r, struct error *err)
{
    const struct strv *ids = r->export->chain_ids;

    r->layers = xcalloc(ids->len + 1, sizeof *r->layers);
    for (; r->len < ids->len; r->len++) {
        AUTO(sha) *sha = sha_new(DIGEST_SHA256);
        struct measure m = {.sha = sha};
        struct layer *l = &r->layers[r->len];
        AUTO_FREE char *folder =
            xasprintf("%s/layers/%s/fs", r->export->root, digest_hex(ids->items[r->len]));

        if (tree_tar(folder, measure_write, &m, err) < 0)
            return -1;
        sha_finish(sha, l->digest);
        l->folder = TAKE(folder);
        l->size = m.size;
        tell(l, "waiting");
    }
    return 0;
}

static int make_config(struct run *r, struct error *err)
{
    const char *digest = r->export->config;
    AUTO_FREE char *path =
        xasprintf("%s/content/blobs/%s/%s", r->export->root,
                  digest_algorithm_name(digest_algorithm_of(digest)), digest_hex(digest));
    AUTO_FINI(buf) text = BUF(MANIFEST_BYTES_MAX);
    JSON_AUTO *config = NULL;
    struct json_object *rootfs, *ids;

    if (file_load(AT_FDCWD, path, &text, err) < 0 ||
        sha_verify(digest, text.data, text.len, err) < 0)
        return error_wrap(err, "image configuration");
    config = json_parse(text.data, text.len, err);
    if (!config)
        return error_wrap(err, "image configuration");
    rootfs = json_add_object(config, "rootfs");
    json_add_str(rootfs, "type", "layers");
    ids = json_add_array(rootfs, "diff_ids");
    for (size_t i = 0; i < r->len; i++)
        json_add_str(ids, NULL, r->layers[i].digest);
    text_set(&r->config, config);
    return 0;
}

static void describe(struct json_object *to, const char *type, const char *digest, uint64_t size)
{
    json_add_str(to, "mediaType", type);
    json_add_str(to, "digest", digest);
    json_add_uint(to, "size", size);
}

static void make_manifest(struct run *r)
{
    JSON_AUTO *manifest = json_object_new_object();
    struct json_object *layers;

    json_add_int(manifest, "schemaVersion", 2);
    json_add_str(manifest, "mediaType", MEDIA_TYPE_OCI_MANIFEST);
    describe(json_add_object(manifest, "config"), MEDIA_TYPE_OCI_CONFIG, r->config.digest,
             r->config.len);
    layers = json_add_array(manifest, "layers");
    for (size_t i = 0; i < r->len; i++)
        describe(json_add_object(layers, NULL), LAYER_TYPE, r->layers[i].digest, r->layers[i].size);
    text_set(&r->manifest, manifest);
}

/* Both the whole name, as containerd and we look for it, and the tag, as the specification has it.
 */
static void make_index(struct run *r, const struct image_reference *ref)
{
    JSON_AUTO *index = json_object_new_object();
    struct json_object *entry, *annotations;

    json_add_int(index, "schemaVersion", 2);
    json_add_str(index, "mediaType", MEDIA_TYPE_OCI_INDEX);
    entry = json_add_object(json_add_array(index, "manifests"), NULL);
    describe(entry, MEDIA_TYPE_OCI_MANIFEST, r->manifest.digest, r->manifest.len);
    if (*r->export->name) {
        annotations = json_add_object(entry, "annotations");
        json_add_str(annotations, "io.containerd.image.name", r->export->name);
        if (*ref->tag)
            json_add_str(annotations, "org.opencontainers.image.ref.name", ref->tag);
    }
    text_set(&r->index, index);
}

static char *blob_name(const char *digest)
{
    return xasprintf(BLOBS "%s", digest_hex(digest));
}

static void add_blob_name(struct json_object *to, const char *key, const char *digest)
{
    AUTO_FREE char *name = blob_name(digest);

    json_add_str(to, key, name);
}

static void make_docker_list(struct run *r, const struct image_reference *ref)
{
    JSON_AUTO *list = json_object_new_array();
    struct json_object *item = json_add_object(list, NULL), *tags, *layers;

    add_blob_name(item, "Config", r->config.digest);
    tags = json_add_array(item, "RepoTags");
    if (*ref->tag)
        json_add_str(tags, NULL, r->export->name);
    layers = json_add_array(item, "Layers");
    for (size_t i = 0; i < r->len; i++)
        add_blob_name(layers, NULL, r->layers[i].digest);
    text_set(&r->docker, list);
}

/* --- then all of it is written --- */

static int send(struct run *r, const void *data, size_t len, struct error *err)
{
    return fd_write_all(r->export->output, data, len, err) < 0 ? error_wrap(err, "write archive")
                                                               : stop_check(err);
}

static int flush(struct run *r, struct error *err)
{
    size_t len = r->pending.len;

    r->pending.len = 0;
    return send(r, r->pending.data, len, err);
}

static int output(void *sink, const void *data, size_t len, struct error *err)
{
    struct run *r = sink;

    r->written += len;
    if (r->pending.len + len > PENDING_MAX && flush(r, err) < 0)
        return -1;
    return len > PENDING_MAX / 2 ? flush(r, err) < 0 ? -1 : send(r, data, len, err)
                                 : buf_append(&r->pending, data, len, err);
}

static int put_head(struct run *r, enum tar_type type, const char *name, uint64_t size,
                    struct error *err)
{
    const struct tar_entry e = {
        .type = type, .path = name, .mode = type == TAR_DIR ? 0755 : 0644, .size = size};
    AUTO_FINI(buf) head = BUF(TAR_HEAD_MAX);

    return tar_writer_head(&e, &head, err) < 0 ? -1 : output(r, head.data, head.len, err);
}

static int put_padding(struct run *r, uint64_t size, struct error *err)
{
    static const char zero[TAR_BLOCK_SIZE];

    return output(r, zero, TAR_PADDING(size), err);
}

static int put_text(struct run *r, const char *name, const char *data, size_t len,
                    struct error *err)
{
    if (put_head(r, TAR_FILE, name, len, err) < 0 || output(r, data, len, err) < 0)
        return -1;
    return put_padding(r, len, err);
}

static int put_blob(struct run *r, const struct text *t, struct error *err)
{
    AUTO_FREE char *name = blob_name(t->digest);

    return put_text(r, name, t->data, t->len, err);
}

static bool is_written(const struct run *r, size_t layer)
{
    for (size_t i = 0; i < layer; i++)
        if (strcmp(r->layers[i].digest, r->layers[layer].digest) == 0)
            return true;
    return false;
}

static int put_layer(struct run *r, const struct layer *l, struct error *err)
{
    AUTO_FREE char *name = blob_name(l->digest);
    uint64_t before;

    tell(l, "writing");
    if (put_head(r, TAR_FILE, name, l->size, err) < 0)
        return -1;
    before = r->written;
    if (tree_tar(l->folder, output, r, err) < 0)
        return -1;
    if (r->written - before != l->size)
        return error_set(err, ERROR_DATA_LOSS, "%s changed while it was read", l->folder);
    tell(l, "done");
    return put_padding(r, l->size, err);
}

static int put_all(struct run *r, struct error *err)
{
    static const char end[TAR_END];

    if (put_text(r, "oci-layout", VERSION, strlen(VERSION), err) < 0 ||
        put_text(r, "index.json", r->index.data, r->index.len, err) < 0 ||
        put_text(r, "manifest.json", r->docker.data, r->docker.len, err) < 0 ||
        put_head(r, TAR_DIR, "blobs/", 0, err) < 0 || put_head(r, TAR_DIR, BLOBS, 0, err) < 0 ||
        put_blob(r, &r->manifest, err) < 0 || put_blob(r, &r->config, err) < 0)
        return -1;
    for (size_t i = 0; i < r->len; i++)
        if (!is_written(r, i) && put_layer(r, &r->layers[i], err) < 0)
            return -1;
    return output(r, end, sizeof end, err) < 0 ? -1 : flush(r, err);
}

static void tell_end(const struct run *r)
{
    struct json_object *event = json_object_new_object();

    json_add_str(event, "event", "exported");
    json_add_str(event, "id", r->config.digest);
    json_add_uint(event, "size", r->written);
    event_send(event);
}

static int run(struct run *r, struct error *err)
{
    struct image_reference ref = {0};

    if (*r->export->name && reference_parse(r->export->name, &ref, err) < 0)
        return -1;
    if (measure_layers(r, err) < 0 || make_config(r, err) < 0)
        return -1;
    make_manifest(r);
    make_index(r, &ref);
    make_docker_list(r, &ref);
    if (put_all(r, err) < 0)
        return -1;
    tell_end(r);
    return 0;
}

int export_run(const struct export_spec *e, struct error *err)
{
    struct run r = {.export = e, .pending = BUF(PENDING_MAX)};
    int done = run(&r, err);

    run_fini(&r);
    return done < 0 ? error_wrap(err, "export %s", *e->name ? e->name : e->config) : 0;
}
