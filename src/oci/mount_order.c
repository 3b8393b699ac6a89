// SPDX-License-Identifier: Apache-2.0
#include "oci/mount_order.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"

struct place {
    struct json_object *mount;
    size_t parts, order;
};

static int by_depth(const void *left, const void *right)
{
    const struct place *a = left, *b = right;

    if (a->parts != b->parts)
        return a->parts < b->parts ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

static size_t count_parts(const char *path)
{
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, path, '/');
    return parts.len;
}

void mount_order_sort(struct json_object *spec)
{
    struct json_object *mounts = json_get(spec, "mounts");
    struct json_object *sorted = json_object_new_array();
    size_t n = json_len(mounts);
    AUTO_FREE struct place *places = xcalloc(n + 1, sizeof *places);

    for (size_t i = 0; i < n; i++)
        places[i] = (struct place){
            .mount = json_at(mounts, i),
            .parts = count_parts(json_get_str(json_at(mounts, i), "destination")),
            .order = i,
        };
    qsort(places, n, sizeof *places, by_depth);
    for (size_t i = 0; i < n; i++)
        json_add(sorted, NULL, json_object_get(places[i].mount));
    json_add(spec, "mounts", sorted);
}
