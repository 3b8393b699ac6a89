// SPDX-License-Identifier: Apache-2.0
#include "imaged/layout.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "image/manifest.h"
#include "image/reference.h"
#include "imaged/archive.h"
#include "imaged/assembly.h"
#include "imaged/docker_save.h"
#include "imaged/sha.h"
#include "imaged/stop.h"

#define INDEX      "index.json"
#define FULL_NAME  "io.containerd.image.name"
#define LOCAL_NAME "org.opencontainers.image.ref.name"

/* One import. */
struct run {
    const struct layout *layout;
    struct archive *archive;
    const struct docker_save *docker; /* NULL in an OCI layout */
    size_t images;
};

static char *blob_path(const struct run *r, const char *digest)
{
    const char *file = r->docker ? docker_save_file(r->docker, digest) : NULL;

    return file ? xstrdup(file)
                : xasprintf("blobs/%s/%s", digest_algorithm_name(digest_algorithm_of(digest)),
                            digest_hex(digest));
}

static int load(void *data, const struct descriptor *d, struct buf *out, struct error *err)
{
    const struct run *r = data;
    AUTO_FREE char *path = blob_path(r, d->digest);

    if (archive_load(r->archive, path, out, err) < 0)
        return -1;
    return sha_verify(d->digest, out->data, out->len, err);
}

static int fetch(void *data, const struct descriptor *blob, unpack_write *write, void *sink,
                 struct error *err)
{
    const struct run *r = data;
    AUTO_FREE char *path = blob_path(r, blob->digest);

    return archive_read(r->archive, path, write, sink, err);
}

static int assemble(struct run *r, const struct descriptor *target, const struct strv *names,
                    struct buf *body, struct error *err)
{
    struct assembly a = {.root = r->layout->root,
                         .platform = r->layout->platform,
                         .concurrency = r->layout->concurrency,
                         .source = {r, load, fetch},
                         .names = names};

    if (++r->images > LAYOUT_IMAGES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "it has more than %d images", LAYOUT_IMAGES_MAX);
    return stop_check(err) < 0 ? -1 : assembly_run(&a, target, body, err);
}

static int add_name(struct strv *names, const char *text, struct error *err)
{
    struct image_reference ref;
    char name[REFERENCE_TEXT_SIZE];

    if (reference_parse(text, &ref, err) < 0)
        return -1;
    reference_format(&ref, name);
    if (!strv_contains(names, name))
        strv_add(names, name);
    return 0;
}

/* What the entry calls itself: a whole name, or a mere tag, which names nothing without a
 * repository. */
static int name_entry(const struct descriptor *d, struct strv *names, struct error *err)
{
    const char *full = descriptor_annotation(d, FULL_NAME);
    const char *local = descriptor_annotation(d, LOCAL_NAME);

    if (full)
        return add_name(names, full, err);
    if (local && strpbrk(local, "/:@"))
        return add_name(names, local, err);
    return 0;
}

static bool is_for_us(const struct run *r, const struct descriptor *d)
{
    enum media_type type = media_type_of(d->media_type);

    return (type == MEDIA_TYPE_MANIFEST || type == MEDIA_TYPE_INDEX) &&
           (!d->has_platform || platform_rank(&r->layout->platform, &d->platform) >= 0);
}

static size_t count_ours(const struct run *r, const struct manifest *index)
{
    size_t count = 0;

    for (size_t i = 0; i < index->entries_len; i++)
        count += is_for_us(r, &index->entries[i]);
    return count;
}

static int check_name(const struct run *r, size_t count, struct error *err)
{
    if (count == 0)
        return error_set(err, ERROR_NOT_FOUND, "it has no image for this platform");
    if (count > 1 && *r->layout->name)
        return error_set(err, ERROR_INVALID, "it has %zu images, which cannot all be named %s",
                         count, r->layout->name);
    return 0;
}

static int import_entry(struct run *r, const struct descriptor *entry, struct error *err)
{
    AUTO_FINI(strv) names = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);
    int named =
        *r->layout->name ? add_name(&names, r->layout->name, err) : name_entry(entry, &names, err);

    return named < 0 ? -1 : assemble(r, entry, &names, &body, err);
}

static int import_oci(struct run *r, struct error *err)
{
    AUTO_FINI(buf) text = BUF(MANIFEST_BYTES_MAX);
    AUTO(manifest) *index = NULL;

    if (archive_load(r->archive, INDEX, &text, err) < 0)
        return -1;
    index = manifest_parse(text.data, text.len, MEDIA_TYPE_OCI_INDEX, err);
    if (!index)
        return error_wrap(err, INDEX);
    if (check_name(r, count_ours(r, index), err) < 0)
        return -1;
    for (size_t i = 0; i < index->entries_len; i++)
        if (is_for_us(r, &index->entries[i]) && import_entry(r, &index->entries[i], err) < 0)
            return -1;
    return 0;
}

static int import_item(struct run *r, struct json_object *item, struct error *err)
{
    AUTO_FINI(docker_save) d = {0};
    AUTO_FINI(strv) named = {0};
    const struct strv *names = *r->layout->name ? &named : &d.names;

    if (docker_save_describe(&d, r->archive, item, err) < 0)
        return error_wrap(err, DOCKER_SAVE_LIST);
    if (*r->layout->name && add_name(&named, r->layout->name, err) < 0)
        return -1;
    r->docker = &d;
    return assemble(r, &d.target, names, &d.manifest, err);
}

static int import_docker(struct run *r, struct error *err)
{
    JSON_AUTO *list = docker_save_list(r->archive, err);

    if (!list || check_name(r, json_len(list), err) < 0)
        return -1;
    for (size_t i = 0; i < json_len(list); i++)
        if (import_item(r, json_at(list, i), err) < 0)
            return -1;
    return 0;
}

static int import(struct run *r, struct error *err)
{
    if (archive_has(r->archive, "oci-layout") && archive_has(r->archive, INDEX))
        return import_oci(r, err);
    if (archive_has(r->archive, DOCKER_SAVE_LIST))
        return import_docker(r, err);
    return error_set(err, ERROR_INVALID, "it is neither an OCI image layout nor a docker archive");
}

int layout_import(const struct layout *l, struct error *err)
{
    AUTO_FREE char *tmp = xasprintf("%s/content/ingest", l->root);
    AUTO(archive) *archive = archive_open(l->path, tmp, err);
    struct run r = {.layout = l, .archive = archive};

    if (!archive)
        return error_wrap(err, "import");
    return import(&r, err) < 0 ? error_wrap(err, "import %s", l->path) : 0;
}
