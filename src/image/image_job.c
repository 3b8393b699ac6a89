// SPDX-License-Identifier: Apache-2.0
#include "image/image_job.h"

#include "base/json.h"

static void add_str(struct json_object *to, const char *key, const char *text)
{
    if (text && *text)
        json_add_str(to, key, text);
}

static struct json_object *new_job(const struct image_store_options *options, const char *op)
{
    struct json_object *job = json_object_new_object();

    json_add_str(job, "op", op);
    json_add_str(job, "root", options->root);
    return job;
}

static void add_credentials(struct json_object *job, const struct image_credentials *c)
{
    struct json_object *auth = json_add_object(job, "auth");

    add_str(auth, "username", c->username);
    add_str(auth, "password", c->password);
    add_str(auth, "auth", c->auth);
    add_str(auth, "server_address", c->server_address);
    add_str(auth, "identity_token", c->identity_token);
    add_str(auth, "registry_token", c->registry_token);
}

static void add_registry(struct json_object *job, const struct image_store_options *options)
{
    const struct strv *dirs = options->hosts_dirs;
    struct json_object *hosts_dirs = json_add_array(job, "hosts_dirs"), *proxy;

    for (size_t i = 0; dirs && i < dirs->len; i++)
        json_add_str(hosts_dirs, NULL, dirs->items[i]);
    if (options->idle_timeout_ms > 0)
        json_add_int(job, "idle_timeout_ms", options->idle_timeout_ms);
    add_str(job, "auth_file", options->auth_file);
    proxy = json_add_object(job, "proxy");
    add_str(proxy, "http", options->http_proxy);
    add_str(proxy, "https", options->https_proxy);
    add_str(proxy, "none", options->no_proxy);
}

struct json_object *image_job_pull(const struct image_store_options *options, const char *op,
                                   const char *name, const struct image_credentials *credentials)
{
    struct json_object *job = new_job(options, op);

    json_add_str(job, "image", name);
    add_registry(job, options);
    add_credentials(job, credentials);
    return job;
}

struct json_object *image_job_import(const struct image_store_options *options, const char *path,
                                     const char *name)
{
    struct json_object *job = new_job(options, "import");

    json_add_str(job, "path", path);
    json_add_str(job, "name", name);
    return job;
}

struct json_object *image_job_export(const struct image_store_options *options,
                                     const struct image *i, const char *name)
{
    struct json_object *job = new_job(options, "export"), *layers;

    json_add_str(job, "config", i->id);
    json_add_str(job, "name", name);
    layers = json_add_array(job, "layers");
    for (size_t n = 0; n < i->n_layers; n++)
        json_add_str(layers, NULL, i->layers[n].chain_id);
    return job;
}
