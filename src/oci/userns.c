// SPDX-License-Identifier: Apache-2.0
#include "oci/userns.h"

#include "base/json.h"

enum { OF_MOUNT_MAX = 340 }; /* what a user namespace can have */

static const char *mode_name(Runtime__V1__NamespaceMode mode)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&runtime__v1__namespace_mode__descriptor, (int)mode);

    return value ? value->name : "unknown";
}

/* The last id there is stands for "none". */
static int check_range(const Runtime__V1__IDMapping *m, const char *field, struct error *err)
{
    if (m->length == 0)
        return error_set(err, ERROR_INVALID, "%s: length 0 maps nothing", field);
    if (m->length > UINT32_MAX - m->host_id)
        return error_set(err, ERROR_INVALID, "%s: host_id %u and length %u go beyond id %u", field,
                         m->host_id, m->length, UINT32_MAX - 1);
    if (m->length > UINT32_MAX - m->container_id)
        return error_set(err, ERROR_INVALID, "%s: container_id %u and length %u go beyond id %u",
                         field, m->container_id, m->length, UINT32_MAX - 1);
    return 0;
}

static int parse_range(Runtime__V1__IDMapping **mappings, size_t n, const char *field,
                       struct idmap_range *out, struct error *err)
{
    if (n != 1)
        return error_set(err, ERROR_INVALID, "%s: %zu mappings, where mode POD has exactly one",
                         field, n);
    if (check_range(mappings[0], field, err) < 0)
        return -1;
    if (mappings[0]->container_id != 0)
        return error_set(err, ERROR_INVALID, "%s: container_id %u leaves id 0 without a mapping",
                         field, mappings[0]->container_id);
    *out = (struct idmap_range){mappings[0]->host_id, mappings[0]->length};
    return 0;
}

int oci_userns_parse(const Runtime__V1__UserNamespace *options, struct idmap *out,
                     struct error *err)
{
    struct idmap map = {0};

    if (options && options->mode == RUNTIME__V1__NAMESPACE_MODE__POD) {
        if (parse_range(options->uids, options->n_uids, "userns_options.uids", &map.uids, err) <
                0 ||
            parse_range(options->gids, options->n_gids, "userns_options.gids", &map.gids, err) < 0)
            return -1;
    } else if (options && options->mode != RUNTIME__V1__NAMESPACE_MODE__NODE) {
        return error_set(err, ERROR_INVALID, "userns_options.mode: %s (%d) is neither POD nor NODE",
                         mode_name(options->mode), (int)options->mode);
    } else if (options && options->n_uids + options->n_gids > 0) {
        return error_set(err, ERROR_INVALID,
                         "userns_options: mode NODE has no mappings, not %zu of uids and %zu of "
                         "gids",
                         options->n_uids, options->n_gids);
    }
    *out = map;
    return 0;
}

static bool are_same(Runtime__V1__IDMapping **a, size_t n_a, Runtime__V1__IDMapping **b, size_t n_b)
{
    if (n_a != n_b)
        return false;
    for (size_t i = 0; i < n_a; i++)
        if (a[i]->host_id != b[i]->host_id || a[i]->container_id != b[i]->container_id ||
            a[i]->length != b[i]->length)
            return false;
    return true;
}

int oci_userns_check_same(const Runtime__V1__UserNamespace *of_container,
                          const Runtime__V1__UserNamespace *of_pod, struct error *err)
{
    const Runtime__V1__UserNamespace *a = of_container, *b = of_pod;

    if (!a != !b)
        return error_set(err, ERROR_INVALID,
                         "userns_options differ from the pod's: only the %s has them",
                         a ? "container" : "pod");
    if (a && a->mode != b->mode)
        return error_set(err, ERROR_INVALID,
                         "userns_options differ from the pod's: mode %s instead of %s",
                         mode_name(a->mode), mode_name(b->mode));
    if (a && (!are_same(a->uids, a->n_uids, b->uids, b->n_uids) ||
              !are_same(a->gids, a->n_gids, b->gids, b->n_gids)))
        return error_set(err, ERROR_INVALID,
                         "userns_options differ from the pod's: the mappings are others");
    return 0;
}

static bool is_range(Runtime__V1__IDMapping *const *mappings, size_t n,
                     const struct idmap_range *range)
{
    return n == 1 && mappings[0]->container_id == 0 && mappings[0]->host_id == range->first &&
           mappings[0]->length == range->count;
}

bool oci_userns_has_mappings(const struct idmap *ids, const Runtime__V1__Mount *mount)
{
    return is_range(mount->uidmappings, mount->n_uidmappings, &ids->uids) &&
           is_range(mount->gidmappings, mount->n_gidmappings, &ids->gids);
}

bool oci_userns_is_of_mount(const struct idmap *ids, const Runtime__V1__Mount *mount)
{
    return idmap_is_set(ids) && !mount->image && oci_userns_has_mappings(ids, mount);
}

static void add_mapping(struct json_object *to, uint32_t container_id, uint32_t host_id,
                        uint32_t size)
{
    struct json_object *mapping = json_add_object(to, NULL);

    json_add_uint(mapping, "containerID", container_id);
    json_add_uint(mapping, "hostID", host_id);
    json_add_uint(mapping, "size", size);
}

void oci_userns_add(struct json_object *to, const struct idmap *map)
{
    add_mapping(json_add_array(to, "uidMappings"), 0, map->uids.first, map->uids.count);
    add_mapping(json_add_array(to, "gidMappings"), 0, map->gids.first, map->gids.count);
}

static bool overlap(uint32_t a, uint32_t b, const Runtime__V1__IDMapping *x,
                    const Runtime__V1__IDMapping *y)
{
    return (uint64_t)a < (uint64_t)b + y->length && (uint64_t)b < (uint64_t)a + x->length;
}

/* No id may be mapped twice, on either side. */
static int check_overlaps(Runtime__V1__IDMapping **mappings, size_t n, const char *field,
                          struct error *err)
{
    const Runtime__V1__IDMapping *last = mappings[n];

    for (size_t i = 0; i < n; i++) {
        const Runtime__V1__IDMapping *m = mappings[i];

        if (overlap(m->container_id, last->container_id, m, last) ||
            overlap(m->host_id, last->host_id, m, last))
            return error_set(err, ERROR_INVALID,
                             "%s: container_id %u, host_id %u, length %u overlaps with the one of "
                             "container_id %u, host_id %u, length %u",
                             field, last->container_id, last->host_id, last->length,
                             m->container_id, m->host_id, m->length);
    }
    return 0;
}

static int add_list(struct json_object *to, Runtime__V1__IDMapping **mappings, size_t n,
                    const char *field, struct error *err)
{
    if (n == 0 || n > OF_MOUNT_MAX)
        return error_set(err, ERROR_INVALID, "%s: %zu mappings, where a mount has 1 to %d", field,
                         n, OF_MOUNT_MAX);
    for (size_t i = 0; i < n; i++) {
        if (check_range(mappings[i], field, err) < 0 || check_overlaps(mappings, i, field, err) < 0)
            return -1;
        add_mapping(to, mappings[i]->container_id, mappings[i]->host_id, mappings[i]->length);
    }
    return 0;
}

int oci_userns_add_of_mount(struct json_object *to, const Runtime__V1__Mount *mount,
                            struct error *err)
{
    if (add_list(json_add_array(to, "uidMappings"), mount->uidmappings, mount->n_uidmappings,
                 "uidMappings", err) < 0 ||
        add_list(json_add_array(to, "gidMappings"), mount->gidmappings, mount->n_gidmappings,
                 "gidMappings", err) < 0)
        return -1;
    return 0;
}
