// SPDX-License-Identifier: Apache-2.0
#include "imaged/pull.h"

#include "image/manifest.h"
#include "imaged/assembly.h"
#include "imaged/stop.h"

static int append(void *data, const void *bytes, size_t len, struct error *err)
{
    return buf_append(data, bytes, len, err);
}

/* Manifests have an address of their own; a configuration is a blob. */
static int load(void *data, const struct descriptor *d, struct buf *out, struct error *err)
{
    enum media_type type = media_type_of(d->media_type);
    const struct registry_sink sink = {.write = append, .data = out};

    if (stop_check(err) < 0)
        return -1;
    if (d->size > MANIFEST_BYTES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%s has more than %d bytes", d->digest,
                         MANIFEST_BYTES_MAX);
    if (type == MEDIA_TYPE_MANIFEST || type == MEDIA_TYPE_INDEX)
        return registry_get_manifest(data, d, out, err);
    return registry_fetch_blob(data, d, &sink, err);
}

static int fetch(void *data, const struct descriptor *blob, unpack_write *write, void *target,
                 struct error *err)
{
    const struct registry_sink sink = {.write = write, .data = target};

    return registry_fetch_blob(data, blob, &sink, err);
}

/* repo:tag, when that was asked for, and repo@digest. */
static void name_it(const struct image_reference *ref, const char *digest, struct strv *out)
{
    char text[REFERENCE_TEXT_SIZE];

    if (ref->tag[0]) {
        reference_format(ref, text);
        strv_add(out, text);
    }
    reference_format_digest(ref, digest, text);
    strv_add(out, text);
}

static int pull(const struct pull *p, const struct image_reference *ref, struct error *err)
{
    const struct registry_options options = {
        .reference = ref, .hosts_dirs = p->hosts_dirs, .credentials = &p->credentials};
    AUTO(registry) *registry = registry_open(&options, err);
    AUTO_FINI(descriptor) target = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);
    AUTO_FINI(strv) names = {0};
    struct assembly a = {.root = p->root,
                         .platform = p->platform,
                         .concurrency = p->concurrency,
                         .source = {registry, load, fetch},
                         .names = &names};

    if (!registry || registry_resolve(registry, &target, &body, err) < 0)
        return -1;
    name_it(ref, target.digest, &names);
    if (body.len == 0 && registry_get_manifest(registry, &target, &body, err) < 0)
        return -1;
    return assembly_run(&a, &target, &body, err);
}

int pull_run(const struct pull *p, struct error *err)
{
    struct image_reference ref;

    if (reference_parse(p->image, &ref, err) < 0)
        return -1;
    return pull(p, &ref, err) < 0 ? error_wrap(err, "pull %s", p->image) : 0;
}
