// SPDX-License-Identifier: Apache-2.0
#include "net/conf.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "base/strv.h"
#include "net/version.h"

/* A file's whole tree, or NULL. */
static struct json_object *load_json(const char *path, struct error *err)
{
    AUTO_FINI(buf) text = BUF(CONF_FILE_MAX);
    struct json_object *tree;

    if (file_load(AT_FDCWD, path, &text, err) < 0)
        return NULL;
    tree = json_parse(text.data ? text.data : "", text.len, err);
    if (!tree)
        error_wrap(err, "%s", path);
    return tree;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static int is_list_or_plugin(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".conf") || ends_with(entry->d_name, ".conflist") ||
           ends_with(entry->d_name, ".json");
}

static int is_plugin(const struct dirent *entry)
{
    return ends_with(entry->d_name, ".conf");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds the paths of the files in dir that fit, in order; a folder that is not there has none. */
static int find_files(const char *dir, int (*fits)(const struct dirent *), struct strv *out,
                      struct error *err)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, fits, by_bytes);

    if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (n < 0)
        return error_errno(err, errno, "read folder %s", dir);
    for (int i = 0; i < n; i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", dir, entries[i]->d_name);
        struct stat st;

        if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
            strv_add(out, path);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

/* [A-Za-z0-9][A-Za-z0-9_.-]*: a name becomes part of a file's name. */
static bool name_is_valid(const char *name)
{
    if (!isalnum((unsigned char)name[0]))
        return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
            return false;
    return true;
}

static int add_plugin(struct conf_network *n, struct json_object *object, struct error *err)
{
    const char *type = json_get_str(object, "type");

    if (!type || !*type)
        return error_set(err, ERROR_INVALID, "plugin %zu has no type", n->n_plugins);
    n->plugins[n->n_plugins++] =
        (struct conf_plugin){.type = xstrdup(type), .text = xstrdup(json_text(object))};
    return 0;
}

static int read_network(struct conf_network *n, struct json_object *list, struct error *err)
{
    const char *name = json_get_str(list, "name");
    struct json_object *plugins = json_get(list, "plugins");
    size_t count = json_len(plugins);

    if (!name || !*name)
        return error_set(err, ERROR_INVALID, "the network has no name");
    if (!name_is_valid(name))
        return error_set(err, ERROR_INVALID, "network name \"%s\" is not [A-Za-z0-9_.-]+", name);
    n->name = xstrdup(name);
    n->version = version_choose(list, err);
    if (!n->version)
        return error_wrap(err, "network %s", name);
    if (count == 0 || count > CONF_PLUGINS_MAX)
        return error_set(err, ERROR_INVALID, "network %s has %zu plugins", name, count);
    n->plugins = xcalloc(count, sizeof *n->plugins);
    for (size_t i = 0; i < count; i++)
        if (add_plugin(n, json_at(plugins, i), err) < 0)
            return error_wrap(err, "network %s", name);
    n->source = xstrdup(json_text(list));
    return 0;
}

int conf_network_init(struct conf_network *out, struct json_object *list, struct error *err)
{
    struct conf_network n = {0};

    if (read_network(&n, list, err) < 0) {
        conf_network_fini(&n);
        return -1;
    }
    *out = n;
    return 0;
}

void conf_network_fini(struct conf_network *n)
{
    for (size_t i = 0; i < n->n_plugins; i++) {
        free(n->plugins[i].type);
        free(n->plugins[i].text);
    }
    free(n->plugins);
    free(n->name);
    free(n->version);
    free(n->source);
    *n = (struct conf_network){0};
}

bool conf_network_speaks(const struct conf_network *n, unsigned major, unsigned minor)
{
    return version_is_at_least(n->version, major, minor);
}

/* A single plugin becomes a list of one. Takes a reference of its own. */
static struct json_object *wrap_plugin(struct json_object *plugin, struct error *err)
{
    struct json_object *list;
    const char *type = json_get_str(plugin, "type"), *name = json_get_str(plugin, "name");

    if (!type || !*type) {
        error_set(err, ERROR_INVALID, "network type not found");
        return NULL;
    }
    list = json_object_new_object();
    if (json_get_str(plugin, "cniVersion"))
        json_add_str(list, "cniVersion", json_get_str(plugin, "cniVersion"));
    if (name)
        json_add_str(list, "name", name);
    json_add(json_add_array(list, "plugins"), NULL, json_object_get(plugin));
    return list;
}

/* "true" and "false" are allowed to be strings. */
static bool is_on(struct json_object *list, const char *key)
{
    const char *text = json_get_str(list, key);

    return text ? strcasecmp(text, "true") == 0 : json_get_flag(list, key, false);
}

/* Plugins may also be files in a folder named after the network, beside the list. */
static int add_side_files(struct json_object *list, const char *dir, struct error *err)
{
    const char *name = json_get_str(list, "name");
    AUTO_FINI(strv) files = {0};

    if (!name || !name_is_valid(name) || is_on(list, "loadOnlyInlinedPlugins"))
        return 0;
    AUTO_FREE char *side = xasprintf("%s/%s", dir, name);
    if (find_files(side, is_plugin, &files, err) < 0)
        return -1;
    for (size_t i = 0; i < files.len; i++) {
        struct json_object *plugins = json_get(list, "plugins");
        struct json_object *plugin = load_json(files.items[i], err);

        if (!plugin)
            return -1;
        if (!json_object_is_type(plugins, json_type_array))
            plugins = json_add_array(list, "plugins");
        json_add(plugins, NULL, plugin);
    }
    return 0;
}

static int load_network(struct conf_network *out, const char *dir, const char *path,
                        struct error *err)
{
    JSON_AUTO *tree = load_json(path, err);
    JSON_AUTO *list = NULL;

    if (!tree)
        return -1;
    list = ends_with(path, ".conflist") ? json_object_get(tree) : wrap_plugin(tree, err);
    if (!list || (ends_with(path, ".conflist") && add_side_files(list, dir, err) < 0) ||
        conf_network_init(out, list, err) < 0)
        return error_wrap(err, "%s", path);
    return 0;
}

static int load_all(struct conf *c, const char *dir, unsigned max, struct error *err)
{
    AUTO_FINI(strv) files = {0};
    size_t count;

    if (find_files(dir, is_list_or_plugin, &files, err) < 0)
        return -1;
    if (files.len == 0)
        return error_set(err, ERROR_NOT_FOUND, "no network config found in %s", dir);
    count = max && max < files.len ? max : files.len;
    if (count > CONF_NETWORKS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%s has more than %d networks", dir,
                         CONF_NETWORKS_MAX);
    c->networks = xcalloc(count, sizeof *c->networks);
    for (; c->n_networks < count; c->n_networks++)
        if (load_network(&c->networks[c->n_networks], dir, files.items[c->n_networks], err) < 0)
            return -1;
    return 0;
}

struct conf *conf_load(const char *dir, unsigned max, struct error *err)
{
    struct conf *c = xcalloc(1, sizeof *c);

    atomic_init(&c->refs, 1);
    if (load_all(c, dir, max, err) < 0) {
        conf_unref(c);
        return NULL;
    }
    return c;
}

struct conf *conf_ref(struct conf *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void conf_unref(struct conf *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    for (size_t i = 0; i < c->n_networks; i++)
        conf_network_fini(&c->networks[i]);
    free(c->networks);
    free(c);
}
