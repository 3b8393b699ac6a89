// SPDX-License-Identifier: Apache-2.0
#include "image/manifest.h"

#include <string.h>

#include "base/json.h"

/* CVE-2021-41190: one registry answer, two readers, two images. A document is taken for what its
 * Content-Type, its mediaType and its members all agree on, or not at all. */

static const char *kind_name(enum media_type kind)
{
    return kind == MEDIA_TYPE_INDEX ? "an index" : "an image manifest";
}

/* What the members make it. */
static int kind_of_members(struct json_object *json, enum media_type *out, struct error *err)
{
    bool manifest = json_get(json, "config") || json_get(json, "layers");
    bool index = json_get(json, "manifests");

    if (json_get(json, "fsLayers") || json_get(json, "signatures") ||
        json_get_int(json, "schemaVersion", 2) == 1)
        return error_set(err, ERROR_UNIMPLEMENTED,
                         "schema 1 image manifests are no longer supported");
    if (manifest && index)
        return error_set(err, ERROR_INVALID,
                         "it has layers and manifests: an image or an index, but not both");
    if (!manifest && !index)
        return error_set(err, ERROR_INVALID, "it has neither layers nor manifests");
    *out = index ? MEDIA_TYPE_INDEX : MEDIA_TYPE_MANIFEST;
    return 0;
}

static int check_stated(const char *where, const char *stated, enum media_type kind,
                        struct error *err)
{
    enum media_type type = media_type_of(stated);

    if (type == MEDIA_TYPE_SCHEMA1)
        return error_set(err, ERROR_UNIMPLEMENTED,
                         "schema 1 image manifests are no longer supported");
    if (type != MEDIA_TYPE_UNKNOWN && type != kind)
        return error_set(err, ERROR_INVALID, "%s says %.255s but it is %s", where, stated,
                         kind_name(kind));
    return 0;
}

static char *choose_media_type(const char *inside, const char *outside, enum media_type kind)
{
    if (media_type_of(inside) == kind)
        return xstrdup(inside);
    if (media_type_of(outside) == kind)
        return xstrndup(outside, strcspn(outside, "; "));
    return xstrdup(kind == MEDIA_TYPE_INDEX ? MEDIA_TYPE_OCI_INDEX : MEDIA_TYPE_OCI_MANIFEST);
}

static int decode_list(struct json_object *json, size_t max, struct descriptor **out,
                       size_t *out_len, struct error *err)
{
    size_t len = json_len(json);

    if (json && !json_object_is_type(json, json_type_array))
        return error_set(err, ERROR_INVALID, "it is no array");
    if (len > max)
        return error_set(err, ERROR_EXHAUSTED, "%zu entries, %zu are the limit", len, max);
    *out = xcalloc(len ? len : 1, sizeof **out);
    *out_len = len;
    for (size_t i = 0; i < len; i++)
        if (descriptor_decode(json_at(json, i), &(*out)[i], err) < 0)
            return error_wrap(err, "entry %zu", i);
    return 0;
}

static int decode_manifest(struct json_object *json, struct manifest *m, struct error *err)
{
    if (descriptor_decode(json_get(json, "config"), &m->config, err) < 0)
        return error_wrap(err, "config");
    if (decode_list(json_get(json, "layers"), MANIFEST_LAYERS_MAX, &m->layers, &m->layers_len,
                    err) < 0)
        return error_wrap(err, "layers");
    return 0;
}

static int decode(struct json_object *json, const char *media_type, struct manifest *m,
                  struct error *err)
{
    const char *inside = json_get_str(json, "mediaType");
    const char *artifact_type = json_get_str(json, "artifactType");
    struct json_object *annotations = json_get(json, "annotations");

    if (!json_object_is_type(json, json_type_object))
        return error_set(err, ERROR_INVALID, "it is no JSON object");
    if (kind_of_members(json, &m->kind, err) < 0 ||
        check_stated("mediaType", inside, m->kind, err) < 0 ||
        check_stated("the registry", media_type, m->kind, err) < 0)
        return -1;
    m->media_type = choose_media_type(inside, media_type, m->kind);
    if (artifact_type)
        m->artifact_type = xstrndup(artifact_type, DESCRIPTOR_MEDIA_TYPE_MAX);
    if (json_object_is_type(annotations, json_type_object))
        m->annotations = json_object_get(annotations);
    if (m->kind == MEDIA_TYPE_MANIFEST)
        return decode_manifest(json, m, err);
    if (decode_list(json_get(json, "manifests"), MANIFEST_ENTRIES_MAX, &m->entries, &m->entries_len,
                    err) < 0)
        return error_wrap(err, "manifests");
    return 0;
}

struct manifest *manifest_parse(const char *text, size_t len, const char *media_type,
                                struct error *err)
{
    JSON_AUTO *json = NULL;
    AUTO(manifest) *m = xcalloc(1, sizeof *m);

    if (len > MANIFEST_BYTES_MAX) {
        error_set(err, ERROR_EXHAUSTED, "manifest of %zu bytes, %d are the limit", len,
                  MANIFEST_BYTES_MAX);
        return NULL;
    }
    json = json_parse(text, len, err);
    if (!json || decode(json, media_type, m, err) < 0) {
        error_wrap(err, "read manifest");
        return NULL;
    }
    return TAKE(m);
}

static void free_list(struct descriptor *list, size_t len)
{
    for (size_t i = 0; i < len; i++)
        descriptor_fini(&list[i]);
    free(list);
}

void manifest_free(struct manifest *m)
{
    if (!m)
        return;
    free(m->media_type);
    free(m->artifact_type);
    json_object_put(m->annotations);
    descriptor_fini(&m->config);
    free_list(m->layers, m->layers_len);
    free_list(m->entries, m->entries_len);
    free(m);
}

static void add_name(const struct descriptor *entry, char *names, size_t size)
{
    char name[PLATFORM_TEXT_SIZE];
    size_t len = strlen(names);

    if (!entry->has_platform || strcmp(entry->platform.os, "unknown") == 0)
        return;
    platform_format(&entry->platform, name);
    if (!strstr(names, name))
        snprintf(names + len, size - len, "%s%s", len ? ", " : "", name);
}

const struct descriptor *manifest_select(const struct manifest *index, const struct platform *host,
                                         struct error *err)
{
    const struct descriptor *best = NULL, *unstated = NULL;
    char wanted[PLATFORM_TEXT_SIZE], names[256] = "";
    int best_rank = -1;

    for (size_t i = 0; i < index->entries_len; i++) {
        const struct descriptor *entry = &index->entries[i];
        enum media_type type = media_type_of(entry->media_type);
        int rank = entry->has_platform ? platform_rank(host, &entry->platform) : -1;

        if (type != MEDIA_TYPE_MANIFEST && type != MEDIA_TYPE_INDEX)
            continue;
        add_name(entry, names, sizeof names);
        if (!entry->has_platform && !unstated)
            unstated = entry;
        if (rank >= 0 && (!best || rank < best_rank)) {
            best = entry;
            best_rank = rank;
        }
    }
    if (best || unstated)
        return best ? best : unstated;
    platform_format(host, wanted);
    error_set(err, ERROR_NOT_FOUND, "the index has no image for %s; it has %s", wanted,
              *names ? names : "none");
    return NULL;
}
