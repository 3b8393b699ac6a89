// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "oci/build.h"
#include "oci/cdi_spec.h"

static const char PREFIX[] = "cdi.k8s.io/";

static void add_once(struct strv *names, const char *name)
{
    if (!strv_contains(names, name))
        strv_add(names, name);
}

/* Names with commas between them. */
static int add_annotation(struct strv *names, const char *key, const char *value, struct error *err)
{
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, value, ',');
    if (parts.len == 0)
        return error_set(err, ERROR_INVALID, "annotation %s: it names no device", key);
    for (size_t i = 0; i < parts.len; i++) {
        if (!cdi_spec_is_device(parts.items[i]))
            return error_set(err, ERROR_INVALID,
                             "annotation %s: \"%s\" is not the name of a CDI device, such as "
                             "vendor.com/class=name",
                             key, parts.items[i]);
        add_once(names, parts.items[i]);
    }
    return 0;
}

static int find_names(const Runtime__V1__ContainerConfig *config, struct strv *out,
                      struct error *err)
{
    for (size_t i = 0; i < config->n_cdi_devices; i++)
        add_once(out, config->cdi_devices[i]->name);
    for (size_t i = 0; i < config->n_annotations; i++)
        if (strncmp(config->annotations[i]->key, PREFIX, strlen(PREFIX)) == 0 &&
            add_annotation(out, config->annotations[i]->key, config->annotations[i]->value, err) <
                0)
            return -1;
    return 0;
}

int oci_cdi_add(struct build *b, struct error *err)
{
    AUTO_FINI(strv) names = {0};

    if (find_names(b->in->config, &names, err) < 0)
        return -1;
    if (names.len == 0)
        return 0;
    if (!b->in->cdi)
        return error_set(err, ERROR_PRECONDITION,
                         "CDI device injection failed: %s is asked for, and no cdi_spec_dirs are "
                         "configured",
                         names.items[0]);
    if (cdi_edits_choose(b->in->cdi, &names, &b->cdi, err) < 0)
        return -1;
    if (cdi_edits_have_net_devices(&b->cdi) && !(b->in->features && b->in->features->net_devices))
        return error_set(err, ERROR_PRECONDITION,
                         "CDI device injection failed: %s has netDevices, which the OCI runtime "
                         "does not know",
                         names.items[0]);
    return cdi_edits_apply(&b->cdi, b->spec, err);
}
