// SPDX-License-Identifier: Apache-2.0
#include "oci/cdi_catalog.h"

#include "base/json.h"
#include "base/log.h"
#include "base/map.h"

struct cdi_catalog {
    _Atomic int refs;
    struct map devices; /* full name → struct cdi_device */
    struct json_object **files;
    size_t n_files;
};

struct cdi_catalog *cdi_catalog_new(void)
{
    struct cdi_catalog *c = xcalloc(1, sizeof *c);

    c->refs = 1;
    return c;
}

struct cdi_catalog *cdi_catalog_ref(struct cdi_catalog *c)
{
    c->refs++;
    return c;
}

static void free_device(struct cdi_device *d)
{
    free(d->path);
    free(d->conflict);
    free(d);
}

void cdi_catalog_free(struct cdi_catalog *c)
{
    const struct map_slot *slot;

    if (!c || --c->refs > 0)
        return;
    for (size_t at = 0; (slot = map_next(&c->devices, &at));)
        free_device(slot->value);
    map_fini(&c->devices);
    for (size_t i = 0; i < c->n_files; i++)
        json_object_put(c->files[i]);
    free(c->files);
    free(c);
}

static void add_device(struct cdi_catalog *c, const char *name, const struct cdi_device *found)
{
    struct cdi_device *before = map_find(&c->devices, name), *device;

    if (before && before->folder == found->folder) {
        log_warn("CDI device %s is both in %s and in %s: it cannot be used", name, before->path,
                 found->path);
        free(before->conflict);
        before->conflict = xstrdup(found->path);
        return;
    }
    device = xmemdup(found, sizeof *found);
    device->path = xstrdup(found->path);
    if (before)
        free_device(before);
    map_put(&c->devices, name, device);
}

void cdi_catalog_add(struct cdi_catalog *c, struct json_object *taken_file, const char *path,
                     size_t folder)
{
    struct json_object *devices = json_get(taken_file, "devices");
    const char *kind = json_get_str(taken_file, "kind");

    c->files = xrealloc(c->files, (c->n_files + 1) * sizeof(struct json_object *));
    c->files[c->n_files++] = taken_file;
    for (size_t i = 0; i < json_len(devices); i++) {
        struct json_object *device = json_at(devices, i);
        AUTO_FREE char *name = xasprintf("%s=%s", kind, json_get_str(device, "name"));
        struct cdi_device found = {.file = taken_file,
                                   .edits = json_get(device, "containerEdits"),
                                   .path = (char *)path,
                                   .folder = folder};

        add_device(c, name, &found);
    }
}

const struct cdi_device *cdi_catalog_find(const struct cdi_catalog *c, const char *name)
{
    return map_find(&c->devices, name);
}
