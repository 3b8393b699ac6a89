// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/blockio.h"
#include "oci/build.h"
#include "oci/rdt.h"

/* The value, or NULL. Annotations of pods and containers have the same form. */
static const char *find(Runtime__V1__PodSandboxConfig__AnnotationsEntry **annotations, size_t n,
                        const char *key)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(annotations[i]->key, key) == 0)
            return annotations[i]->value;
    return NULL;
}

/* The class of the container: what its own annotation says, else the pod's for this container, else
 * the pod's for all. "" is none. */
static const char *find_class(const struct build *b, const char *kind)
{
    const Runtime__V1__PodSandboxConfig *pod = b->in->pod_config;
    const Runtime__V1__ContainerConfig *config = b->in->config;
    AUTO_FREE char *own = xasprintf("io.kubernetes.cri.%s-class", kind);
    AUTO_FREE char *of_one =
        xasprintf("%s.resources.beta.kubernetes.io/container.%s", kind, config->metadata->name);
    AUTO_FREE char *of_all = xasprintf("%s.resources.beta.kubernetes.io/pod", kind);
    const char *value = NULL;

    for (size_t i = 0; i < config->n_annotations; i++)
        if (strcmp(config->annotations[i]->key, own) == 0)
            value = config->annotations[i]->value;
    if (!value)
        value = find(pod->annotations, pod->n_annotations, of_one);
    if (!value)
        value = find(pod->annotations, pod->n_annotations, of_all);
    return value ? value : "";
}

int oci_classes_add(struct build *b, struct error *err)
{
    const char *blockio = find_class(b, "blockio"), *rdt = find_class(b, "rdt");

    if (*blockio && oci_blockio_apply(b->in->policy.blockio_classes, blockio,
                                      json_get(b->linux, "resources"), err) < 0)
        return -1;
    if (*rdt && oci_rdt_apply(b->in->host->resctrl, rdt, b->linux, err) < 0)
        return -1;
    return 0;
}
