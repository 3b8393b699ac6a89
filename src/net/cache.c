// SPDX-License-Identifier: Apache-2.0
#include "net/cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"

enum { ENTRY_MAX = 4 * 1024 * 1024 };

static char *path_of(const struct cache_key *key)
{
    return xasprintf("%s/results/%s-%s-%s", key->cache_dir, key->network, key->container_id,
                     key->ifname);
}

/* [["k","v"],...] */
static void add_args(struct json_object *to, const char *args)
{
    struct json_object *pairs = json_add_array(to, "cniArgs");
    AUTO_FINI(strv) parts = {0};

    strv_add_split(&parts, args, ';');
    for (size_t i = 0; i < parts.len; i++) {
        struct json_object *pair = json_add_array(pairs, NULL);
        char *equals = strchr(parts.items[i], '=');

        if (equals)
            *equals = '\0';
        json_add_str(pair, NULL, parts.items[i]);
        json_add_str(pair, NULL, equals ? equals + 1 : "");
    }
}

int cache_store(const struct cache_key *key, const struct cache_entry *entry, struct error *err)
{
    JSON_AUTO *tree = json_object_new_object();
    AUTO_FREE char *path = path_of(key);
    AUTO_FREE char *folder = xasprintf("%s/results", key->cache_dir);
    AUTO_FREE char *config = base64_encode_text(entry->config, strlen(entry->config));
    const char *text;

    json_add_str(tree, "kind", "cniCacheV1");
    json_add_str(tree, "containerId", key->container_id);
    json_add_str(tree, "config", config);
    json_add_str(tree, "ifName", key->ifname);
    json_add_str(tree, "networkName", key->network);
    json_add_str(tree, "netns", entry->netns);
    add_args(tree, entry->args);
    if (entry->capabilities)
        json_add(tree, "capabilityArgs", json_object_get(entry->capabilities));
    json_add(tree, "result", json_object_get(entry->result));
    text = json_text(tree);
    if (file_make_dirs(folder, 0700, err) < 0 ||
        file_store(AT_FDCWD, path, text, strlen(text), 0600, err) < 0)
        return error_wrap(err, "keep result of network \"%s\"", key->network);
    return 0;
}

void cache_find(const struct cache_key *key, struct json_object **out_config,
                struct json_object **out_result)
{
    AUTO_FREE char *path = path_of(key);
    AUTO_FREE char *config = NULL;
    AUTO_FINI(buf) text = BUF(ENTRY_MAX);
    struct error unreadable;
    JSON_AUTO *tree = NULL;
    size_t len;

    *out_config = *out_result = NULL;
    if (file_load(AT_FDCWD, path, &text, &unreadable) < 0 || text.len == 0)
        return;
    tree = json_parse(text.data, text.len, &unreadable);
    if (json_get_str(tree, "config"))
        config = base64_decode_text(json_get_str(tree, "config"), &len);
    if (config)
        *out_config = json_parse(config, len, &unreadable);
    if (*out_config)
        *out_result = json_object_get(json_get(tree, "result"));
}

void cache_remove(const struct cache_key *key)
{
    AUTO_FREE char *path = path_of(key);

    unlink(path);
}
