// SPDX-License-Identifier: Apache-2.0
#include "image/descriptor.h"

#include <string.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/own.h"

void descriptor_fini(struct descriptor *d)
{
    free(d->media_type);
    free(d->artifact_type);
    strv_fini(&d->urls);
    json_object_put(d->annotations);
    free(d->data);
    memset(d, 0, sizeof *d);
}

void descriptor_set(struct descriptor *d, const char *media_type, const char *digest, int64_t size)
{
    char *type = xstrdup(media_type);
    char text[DIGEST_SIZE] = "";

    memcpy(text, digest, strnlen(digest, DIGEST_TEXT_MAX));
    descriptor_fini(d);
    d->media_type = type;
    memcpy(d->digest, text, sizeof text);
    d->size = size;
}

void descriptor_copy(struct descriptor *out, const struct descriptor *from)
{
    descriptor_set(out, from->media_type ? from->media_type : "", from->digest, from->size);
    out->has_platform = from->has_platform;
    out->platform = from->platform;
    out->artifact_type = from->artifact_type ? xstrdup(from->artifact_type) : NULL;
    strv_add_all(&out->urls, &from->urls);
    out->data = from->data ? xmemdup(from->data, (size_t)from->size) : NULL;
    /* Its own tree, not another reference: json-c counts without atomics. */
    if (from->annotations && json_object_deep_copy(from->annotations, &out->annotations, NULL) < 0)
        abort();
}

static void decode_platform(struct json_object *json, struct descriptor *out)
{
    out->has_platform = json_object_is_type(json, json_type_object);
    if (!out->has_platform)
        return;
    platform_set(&out->platform, json_get_str(json, "os"), json_get_str(json, "architecture"),
                 json_get_str(json, "variant"));
    out->platform.wants_features = json_len(json_get(json, "os.features")) > 0;
}

static int decode_urls(struct json_object *json, struct strv *out, struct error *err)
{
    if (json_len(json) > DESCRIPTOR_URLS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%zu urls, %d are the limit", json_len(json),
                         DESCRIPTOR_URLS_MAX);
    for (size_t i = 0; i < json_len(json); i++) {
        const char *url = json_str(json_at(json, i));

        if (!url || strlen(url) > DESCRIPTOR_URL_MAX)
            return error_set(err, ERROR_INVALID, "url %zu is none", i);
        if (strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0)
            strv_add(out, url);
    }
    return 0;
}

/* Small blobs may be embedded. What is not as long as stated is left to be fetched. */
static void decode_data(const char *text, struct descriptor *out)
{
    size_t len = 0;
    AUTO_FREE char *data = text ? base64_decode_text(text, &len) : NULL;

    if (data && len > 0 && (int64_t)len == out->size)
        out->data = TAKE(data);
}

/* It goes into header lines, so it must not end them. */
static bool is_media_type(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return len <= DESCRIPTOR_MEDIA_TYPE_MAX;
}

static int decode(struct json_object *json, struct descriptor *out, struct error *err)
{
    const char *type = json_get_str(json, "mediaType");
    const char *artifact_type = json_get_str(json, "artifactType");

    if (!json_object_is_type(json, json_type_object))
        return error_set(err, ERROR_INVALID, "no descriptor there");
    if (digest_parse(json_get_str(json, "digest"), out->digest, err) < 0)
        return -1;
    if ((type && !is_media_type(type)) || (artifact_type && !is_media_type(artifact_type)))
        return error_set(err, ERROR_INVALID, "%s has a media type that is none", out->digest);
    out->size = json_get_int(json, "size", -1);
    if (out->size < 0)
        return error_set(err, ERROR_INVALID, "no size for %s", out->digest);
    out->media_type = xstrdup(type ? type : "");
    out->artifact_type = artifact_type ? xstrdup(artifact_type) : NULL;
    decode_data(json_get_str(json, "data"), out);
    decode_platform(json_get(json, "platform"), out);
    if (json_object_is_type(json_get(json, "annotations"), json_type_object))
        out->annotations = json_object_get(json_get(json, "annotations"));
    return decode_urls(json_get(json, "urls"), &out->urls, err);
}

int descriptor_decode(struct json_object *json, struct descriptor *out, struct error *err)
{
    AUTO_FINI(descriptor) d = {0};

    if (decode(json, &d, err) < 0)
        return -1;
    descriptor_fini(out);
    *out = d;
    memset(&d, 0, sizeof d);
    return 0;
}

const char *descriptor_annotation(const struct descriptor *d, const char *name)
{
    return json_get_str(d->annotations, name);
}
