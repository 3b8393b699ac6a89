// SPDX-License-Identifier: Apache-2.0
#include "image/image_config.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "image/manifest.h"

void image_config_fini(struct image_config *c)
{
    json_object_put(c->json);
    free(c->diff_ids);
    *c = (struct image_config){0};
}

static int read_diff_ids(struct image_config *c, struct json_object *ids, struct error *err)
{
    size_t len = json_len(ids);

    if (len > MANIFEST_LAYERS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%zu layers, %d are the limit", len,
                         MANIFEST_LAYERS_MAX);
    c->diff_ids = xcalloc(len + 1, sizeof *c->diff_ids);
    c->n_layers = len;
    for (size_t i = 0; i < len; i++)
        if (digest_parse(json_str(json_at(ids, i)), c->diff_ids[i], err) < 0)
            return error_wrap(err, "diff id %zu", i);
    return 0;
}

static int read_all(struct image_config *c, struct error *err)
{
    struct json_object *rootfs = json_get(c->json, "rootfs");
    const char *type = json_get_str(rootfs, "type");

    if (!json_object_is_type(c->json, json_type_object))
        return error_set(err, ERROR_INVALID, "it is no object");
    if (type && *type && strcmp(type, "layers") != 0)
        return error_set(err, ERROR_INVALID, "rootfs has the type \"%s\"", type);
    platform_set(&c->platform, json_get_str(c->json, "os"), json_get_str(c->json, "architecture"),
                 json_get_str(c->json, "variant"));
    return read_diff_ids(c, json_get(rootfs, "diff_ids"), err);
}

int image_config_parse(const char *text, size_t len, struct image_config *out, struct error *err)
{
    AUTO_FINI(image_config) c = {.json = json_parse(text, len, err)};

    if (!c.json || read_all(&c, err) < 0)
        return error_wrap(err, "image configuration");
    *out = c;
    c = (struct image_config){0};
    return 0;
}
