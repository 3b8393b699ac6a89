// SPDX-License-Identifier: Apache-2.0
#include "imaged/hosts_file.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/own.h"
#include "image/toml.h"

struct context {
    const char *dir;
    const char *domain;
    struct error *err;
};

static int refuse(const struct context *c, const char *key, const char *wanted)
{
    return error_set(c->err, ERROR_INVALID, "\"%s\" should be %s", key, wanted);
}

/* One string, or a list of them. */
static size_t count_of(struct json_object *value)
{
    return json_str(value) ? 1 : json_len(value);
}

static struct json_object *nth(struct json_object *value, size_t i)
{
    return json_str(value) ? value : json_at(value, i);
}

static bool is_list_or_string(struct json_object *value)
{
    return !value || json_str(value) || json_object_is_type(value, json_type_array);
}

static int read_capabilities(const struct context *c, struct json_object *table, struct host *host)
{
    static const struct {
        const char *name;
        enum host_capability bit;
    } known[] = {{"pull", HOST_PULL},
                 {"resolve", HOST_RESOLVE},
                 {"push", HOST_PUSH},
                 {"referrers", HOST_REFERRERS}};
    struct json_object *list = json_get(table, "capabilities");

    if (!list)
        return 0;
    if (!json_object_is_type(list, json_type_array))
        return refuse(c, "capabilities", "a list");
    host->capabilities = 0;
    for (size_t i = 0; i < json_len(list); i++) {
        const char *name = json_str(json_at(list, i));
        size_t k = 0;

        while (name && k < COUNT_OF(known) && strcasecmp(name, known[k].name) != 0)
            k++;
        if (!name || k == COUNT_OF(known))
            return error_set(c->err, ERROR_INVALID, "unknown capability \"%.40s\"",
                             name ? name : "");
        host->capabilities |= known[k].bit;
    }
    return 0;
}

static void add_path(const struct context *c, struct strv *to, const char *path)
{
    if (*path == '/' || *path == '\0')
        strv_add(to, path);
    else
        strv_addf(to, "%s/%s", c->dir, path);
}

static int read_ca(const struct context *c, struct json_object *table, struct host *host)
{
    struct json_object *value = json_get(table, "ca");

    if (!is_list_or_string(value))
        return refuse(c, "ca", "a file's name or a list of them");
    for (size_t i = 0; i < count_of(value); i++) {
        const char *path = json_str(nth(value, i));

        if (!path || !*path)
            return refuse(c, "ca", "a file's name or a list of them");
        add_path(c, &host->ca, path);
    }
    return 0;
}

/* "both.pem", ["a.pem", "b.pem"] or [["cert", "key"], ["both.pem", ""]]. */
static int read_client(const struct context *c, struct json_object *table, struct host *host)
{
    struct json_object *value = json_get(table, "client");

    if (!is_list_or_string(value))
        return refuse(c, "client", "a file's name or a list of pairs");
    for (size_t i = 0; i < count_of(value); i++) {
        struct json_object *one = nth(value, i);
        const char *cert = json_str(one) ? json_str(one) : json_str(json_at(one, 0));
        const char *key = json_str(one) ? "" : json_str(json_at(one, 1));

        if (!cert || !*cert || json_len(one) > 2 || (json_len(one) == 2 && !key))
            return refuse(c, "client", "a file's name or a list of pairs");
        add_path(c, &host->certs, cert);
        add_path(c, &host->keys, key ? key : "");
    }
    return 0;
}

static bool is_header(const char *name, const char *value)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return *name && strspn(name, token) == strlen(name) && value && !strpbrk(value, "\r\n");
}

static int read_headers(const struct context *c, struct json_object *table, struct host *host)
{
    struct json_object *headers = json_get(table, "header");

    if (headers && !json_object_is_type(headers, json_type_object))
        return refuse(c, "header", "a table");
    if (!headers)
        return 0;
    json_object_object_foreach(headers, name, value)
    {
        if (!is_list_or_string(value))
            return refuse(c, "header", "a table of strings");
        for (size_t i = 0; i < count_of(value); i++) {
            const char *text = json_str(nth(value, i));

            if (!is_header(name, text))
                return refuse(c, "header", "a table of names and values that HTTP allows");
            strv_addf(&host->headers, "%s: %s", name, text);
        }
    }
    return 0;
}

/* A duration as Go writes it: "1m30s", "500ms", "1.5s". */
static int read_duration(const char *text, int64_t *out_ms)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"\u00b5s", 1e-3}, {"ms", 1},
                 {"s", 1e3},   {"m", 6e4},   {"h", 3.6e6}};
    double total = 0;

    if (!*text)
        return -1;
    while (*text) {
        char *unit;
        size_t len, i = 0;
        double value;

        if (!strspn(text, "0123456789."))
            return -1;
        value = strtod(text, &unit);
        len = strcspn(unit, "0123456789.");
        while (i < COUNT_OF(units) &&
               (strlen(units[i].name) != len || strncmp(unit, units[i].name, len) != 0))
            i++;
        if (i == COUNT_OF(units))
            return -1;
        total += value * units[i].ms;
        text = unit + len;
    }
    if (total < 1 || total > 3.6e6)
        return -1;
    *out_ms = (int64_t)total;
    return 0;
}

/* What mirrors and the upstream have in common. */
static int read_settings(const struct context *c, struct json_object *table, struct host *host)
{
    struct json_object *skip = json_get(table, "skip_verify");
    const char *dial = json_get_str(table, "dial_timeout");

    if (skip && !json_object_is_type(skip, json_type_boolean))
        return refuse(c, "skip_verify", "true or false");
    host->skip_verify = json_get_flag(table, "skip_verify", host->skip_verify);
    if (json_get(table, "dial_timeout") &&
        (!dial || read_duration(dial, &host->dial_timeout_ms) < 0))
        return refuse(c, "dial_timeout", "a duration of at most an hour, such as \"5s\"");
    if (read_capabilities(c, table, host) < 0 || read_ca(c, table, host) < 0 ||
        read_client(c, table, host) < 0 || read_headers(c, table, host) < 0)
        return -1;
    /* TLS is configured, so TLS is meant; but what says http may have none. */
    if (host->plain && (skip || host->ca.len || host->certs.len)) {
        host->plain = false;
        host->plain_fallback = true;
    }
    return 0;
}

/* Sets scheme, authority and path from a URL whose scheme may be missing. */
static int read_url(const struct context *c, const char *url, bool override_path, struct host *host)
{
    const char *authority, *path;
    size_t len, path_len;

    host->plain = strncmp(url, "http://", 7) == 0;
    host->plain_fallback = host->skip_verify = false;
    authority = host->plain ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : url;
    len = strcspn(authority, "/");
    path = authority + len;
    path_len = strlen(path);
    while (path_len > 0 && path[path_len - 1] == '/')
        path_len--;
    if (len == 0 || strcspn(authority, "?#@ \\\r\n\t\"<>{}") != strlen(authority) ||
        strstr(path, "//") || strstr(path, "/.") || memchr(authority, '%', len))
        return error_set(c->err, ERROR_INVALID, "\"%.200s\" is no registry's URL", url);
    free(host->authority);
    free(host->path);
    host->authority = xstrndup(authority, len);
    if (override_path || (path_len >= 3 && strncmp(path + path_len - 3, "/v2", 3) == 0))
        host->path = xstrndup(path, path_len);
    else
        host->path = xasprintf("%.*s/v2", (int)path_len, path);
    return 0;
}

static int read_host(const struct context *c, struct json_object *table, const char *url,
                     struct hosts *out)
{
    struct host *host = hosts_add_default(out, c->domain);
    struct json_object *override = json_get(table, "override_path");

    if (override && !json_object_is_type(override, json_type_boolean))
        return refuse(c, "override_path", "true or false");
    if (url && read_url(c, url, json_get_flag(table, "override_path", false), host) < 0)
        return -1;
    if (read_settings(c, table, host) < 0)
        return -1;
    if (!url)
        host->capabilities = HOST_ALL;
    return 0;
}

static int read_mirrors(const struct context *c, struct json_object *tables, struct hosts *out)
{
    if (tables && !json_object_is_type(tables, json_type_object))
        return refuse(c, "host", "a table of tables");
    if (!tables)
        return 0;
    json_object_object_foreach(tables, url, table)
    {
        if (!json_object_is_type(table, json_type_object))
            return refuse(c, "host", "a table of tables");
        if (out->len == HOSTS_MAX)
            return error_set(c->err, ERROR_EXHAUSTED, "more than %d hosts", HOSTS_MAX);
        if (read_host(c, table, url, out) < 0)
            return error_wrap(c->err, "host \"%.200s\"", url);
    }
    return 0;
}

int hosts_file_decode(const char *text, size_t len, const char *dir, const char *domain,
                      struct hosts *out, struct error *err)
{
    const struct context c = {.dir = dir, .domain = domain, .err = err};
    JSON_AUTO *root = toml_parse(text, len, err);
    const char *server = json_get_str(root, "server");

    if (!root)
        return -1;
    if (json_get(root, "server") && !server)
        return refuse(&c, "server", "a URL");
    if (read_mirrors(&c, json_get(root, "host"), out) < 0)
        return -1;
    return read_host(&c, root, server && *server ? server : NULL, out);
}
