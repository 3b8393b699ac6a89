// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <json-c/json.h>

#include "base/error.h"

/* cache: results of ADD as libcni keeps them, which other tools read too:
 * <cache dir>/results/<network>-<container id>-<interface>. Any thread. */
struct cache_key {
    const char *cache_dir;
    const char *network;
    const char *container_id;
    const char *ifname;
};

/* What else an entry holds. */
struct cache_entry {
    const char *config; /* the list, as text */
    const char *netns;
    const char *args;                 /* k=v;k=v */
    struct json_object *capabilities; /* or NULL */
    struct json_object *result;
};

MUST_CHECK int cache_store(const struct cache_key *key, const struct cache_entry *entry,
                           struct error *err);

/* out_config is the list, out_result what came of it; both NULL when there is no usable entry.
 * The caller puts both away. */
void cache_find(const struct cache_key *key, struct json_object **out_config,
                struct json_object **out_result);

void cache_remove(const struct cache_key *key);
