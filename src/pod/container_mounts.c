// SPDX-License-Identifier: Apache-2.0
#include "pod/container_mounts.h"

#include "base/json.h"
#include "image/rootfs.h"
#include "oci/userns.h"
#include "pod/container_bundle.h"

static Containerd__Types__Mount *add(struct arena *a,
                                     Containerd__Task__V3__CreateTaskRequest *request,
                                     const char *type, const struct strv *options)
{
    Containerd__Types__Mount *mount = arena_new(a, &containerd__types__mount__descriptor);

    mount->type = arena_strdup(a, type);
    mount->source = mount->type;
    mount->n_options = options->len;
    mount->options = arena_alloc(a, options->len * sizeof *mount->options);
    for (size_t i = 0; i < options->len; i++)
        mount->options[i] = arena_strdup(a, options->items[i]);
    request->rootfs[request->n_rootfs++] = mount;
    return mount;
}

/* Where SELinux is on all files of the root have the label that the container may touch. The quotes
 * keep the commas of a level from being taken for the ends of options. */
static void add_label(const struct container *c, struct strv *options)
{
    JSON_AUTO *spec = NULL;
    const char *label;
    struct error ignored;

    if (!c->sandbox->node->selinux_enabled)
        return;
    spec = container_bundle_load_spec(c, &ignored); /* without it the OCI runtime fails anyway */
    label = json_get_str(json_get(spec, "linux"), "mountLabel");
    if (label)
        strv_addf(options, "context=\"%s\"", label);
}

static void add_rootfs(struct arena *a, const struct container *c,
                       Containerd__Task__V3__CreateTaskRequest *request)
{
    AUTO_FINI(strv) layers = {0}, options = {0};

    container_layer_paths(c, &layers);
    rootfs_options(&layers, c->dir, &options);
    add_label(c, &options);
    if (idmap_is_set(&c->sandbox->ids))
        strv_add(&options, "idmap");
    add(a, request, "overlay", &options);
}

void container_mounts_add(struct arena *a, const struct container *c,
                          Containerd__Task__V3__CreateTaskRequest *request)
{
    AUTO_FINI(strv) options = {0};

    strv_add(&options, "rbind");
    strv_add(&options, "idmap");
    request->rootfs = arena_alloc(a, (1 + c->config->n_mounts) * sizeof *request->rootfs);
    add_rootfs(a, c, request);
    for (size_t i = 0; i < c->config->n_mounts; i++) {
        const Runtime__V1__Mount *m = c->config->mounts[i];

        if (!oci_userns_is_of_mount(&c->sandbox->ids, m))
            continue;
        Containerd__Types__Mount *mapped = add(a, request, "bind", &options);
        mapped->source = m->host_path;
        mapped->target = arena_printf(a, "%s/" OCI_USERNS_MAPPED "/%zu", c->bundle, i);
    }
}
