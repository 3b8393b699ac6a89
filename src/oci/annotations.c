// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>
#include <string.h>

#include "base/json.h"
#include "oci/build.h"

static bool is_passed_on(const struct strv *globs, const char *key)
{
    for (size_t i = 0; globs && i < globs->len; i++)
        if (fnmatch(globs->items[i], key, FNM_PATHNAME) == 0)
            return true;
    return false;
}

static void add(struct json_object *to, const char *name, const char *value)
{
    char key[64];

    snprintf(key, sizeof key, "io.kubernetes.cri.%s", name);
    json_add_str(to, key, value ? value : "");
}

int oci_annotations_add(struct build *b, struct error *err)
{
    const Runtime__V1__PodSandboxConfig *pod = b->in->pod_config;
    const Runtime__V1__ContainerConfig *config = b->in->config;
    const Runtime__V1__ImageSpec *image = config->image;
    struct json_object *to = json_add_object(b->spec, "annotations");

    for (size_t i = 0; i < pod->n_annotations; i++)
        if (is_passed_on(b->in->policy.pod_annotations, pod->annotations[i]->key))
            json_add_str(to, pod->annotations[i]->key, pod->annotations[i]->value);
    for (size_t i = 0; i < config->n_annotations; i++)
        if (is_passed_on(b->in->policy.container_annotations, config->annotations[i]->key))
            json_add_str(to, config->annotations[i]->key, config->annotations[i]->value);
    /* Ours come last, so that nobody can pass on one of these names. */
    add(to, "container-type", "container");
    add(to, "sandbox-id", b->in->pod_id);
    add(to, "sandbox-namespace", pod->metadata->namespace_);
    add(to, "sandbox-uid", pod->metadata->uid);
    add(to, "sandbox-name", pod->metadata->name);
    add(to, "container-name", config->metadata->name);
    add(to, "image-name",
        image && *image->user_specified_image ? image->user_specified_image : b->in->image_name);
    return 0;
}
