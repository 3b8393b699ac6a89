// SPDX-License-Identifier: Apache-2.0
#include "net/cache.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"

enum { ENTRY_MAX = 4 * 1024 * 1024 };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Base64; the caller frees. */
static char *to_base64(const char *text)
{
    size_t len = strlen(text);
    char *out = xmalloc((len + 2) / 3 * 4 + 1), *at = out;

    for (size_t i = 0; i < len; i += 3) {
        const unsigned char *in = (const unsigned char *)text + i;
        size_t left = len - i;
        unsigned bits = (unsigned)in[0] << 16 | (left > 1 ? (unsigned)in[1] << 8 : 0) |
                        (left > 2 ? (unsigned)in[2] : 0);

        *at++ = ALPHABET[bits >> 18];
        *at++ = ALPHABET[bits >> 12 & 63];
        *at++ = left > 1 ? ALPHABET[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? ALPHABET[bits & 63] : '=';
    }
    *at = '\0';
    return out;
}

/* The text, which the caller frees, or NULL. */
static char *from_base64(const char *text)
{
    AUTO_FREE char *out = xmalloc(strlen(text) / 4 * 3 + 3);
    char *at = out;
    unsigned bits = 0;
    int n_bits = 0;

    for (; *text && *text != '='; text++) {
        const char *digit = strchr(ALPHABET, *text);

        if (!digit)
            return NULL;
        bits = bits << 6 | (unsigned)(digit - ALPHABET);
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            *at++ = (char)(bits >> n_bits & 0xff);
        }
    }
    *at = '\0';
    return TAKE(out);
}

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
    AUTO_FREE char *config = to_base64(entry->config);
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

    *out_config = *out_result = NULL;
    if (file_load(AT_FDCWD, path, &text, &unreadable) < 0 || text.len == 0)
        return;
    tree = json_parse(text.data, text.len, &unreadable);
    if (json_get_str(tree, "config"))
        config = from_base64(json_get_str(tree, "config"));
    if (config)
        *out_config = json_parse(config, strlen(config), &unreadable);
    if (*out_config)
        *out_result = json_object_get(json_get(tree, "result"));
}

void cache_remove(const struct cache_key *key)
{
    AUTO_FREE char *path = path_of(key);

    unlink(path);
}
