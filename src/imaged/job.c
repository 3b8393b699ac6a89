// SPDX-License-Identifier: Apache-2.0
#include "imaged/job.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/own.h"
#include "image/platform.h"
#include "imaged/blob.h"
#include "imaged/explain.h"
#include "imaged/export.h"
#include "imaged/http.h"
#include "imaged/layer.h"
#include "imaged/layout.h"
#include "imaged/part.h"
#include "imaged/pull.h"
#include "imaged/sandbox.h"
#include "imaged/sha.h"
#include "imaged/stop.h"
#include "imaged/unpack.h"

struct common {
    const char *root;
    struct platform platform;
    size_t concurrency;
};

static int read_common(struct json_object *job, struct common *out, struct error *err)
{
    struct json_object *platform = json_get(job, "platform");
    int64_t concurrency = json_get_int(job, "concurrency", JOB_CONCURRENCY);

    out->root = json_get_str(job, "root");
    if (!out->root || out->root[0] != '/')
        return error_set(err, ERROR_INVALID, "the job has no absolute root");
    if (concurrency < 1 || concurrency > UNPACK_CONCURRENCY_MAX)
        return error_set(err, ERROR_INVALID, "concurrency is not 1 to %d", UNPACK_CONCURRENCY_MAX);
    out->concurrency = (size_t)concurrency;
    platform_host(&out->platform);
    if (platform)
        platform_set(&out->platform, json_get_str(platform, "os"),
                     json_get_str(platform, "architecture"), json_get_str(platform, "variant"));
    return 0;
}

/* What comes from strangers is read behind this. path is another one to read, or NULL. */
static int close_up(const struct common *c, const char *path, struct error *err)
{
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"content", 0755}, {"layers", 0700}};
    char *own[COUNT_OF(folders)], unused[DIGEST_SIZE];
    struct sandbox_path paths[COUNT_OF(folders) + 1] = {{path ? path : "", false}};
    const struct sandbox sandbox = {.paths = paths, .n_paths = COUNT_OF(paths)};
    int result = 0;

    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        own[i] = xasprintf("%s/%s", c->root, folders[i].name);
        paths[i + 1] = (struct sandbox_path){own[i], true};
        if (result == 0)
            result = file_make_dirs(own[i], folders[i].mode, err);
    }
    /* In one place an ext4 without a journal would look, for each file, at all inodes that were
     * freed in the last minutes. */
    file_scatter(own[1]);
    sha_of(DIGEST_SHA256, "", 0, unused); /* libcrypto reads its settings at its first use */
    if (result == 0)
        result = sandbox_enter(&sandbox, err);
    for (size_t i = 0; i < COUNT_OF(folders); i++)
        free(own[i]);
    if (result < 0 || stop_watch(STDOUT_FILENO, err) < 0)
        return -1;
    if (blob_prepare(c->root, err) < 0 || part_prepare(c->root, err) < 0)
        return -1;
    return layer_prepare(c->root, err);
}

static void set_proxies(struct json_object *proxy)
{
    const struct http_proxies proxies = {.http = json_get_str(proxy, "http"),
                                         .https = json_get_str(proxy, "https"),
                                         .none = json_get_str(proxy, "none")};

    http_set_proxies(&proxies);
}

static int pull(struct pull *p, const struct common *c, struct error *err)
{
    int result = pull_start(p, err);

    if (result == 0)
        result = close_up(c, NULL, err);
    if (result == 0)
        result = pull_run(p, err);
    fetcher_end(&p->fetcher);
    return result;
}

static int run_pull(struct json_object *job, const struct common *c, bool explain,
                    struct error *err)
{
    struct json_object *auth = json_get(job, "auth"), *dirs = json_get(job, "hosts_dirs");
    AUTO_FINI(strv) hosts_dirs = {0};
    struct pull p = {
        .root = c->root,
        .image = json_get_str(job, "image"),
        .credentials = {.username = json_get_str(auth, "username"),
                        .password = json_get_str(auth, "password"),
                        .auth = json_get_str(auth, "auth"),
                        .server_address = json_get_str(auth, "server_address"),
                        .identity_token = json_get_str(auth, "identity_token"),
                        .registry_token = json_get_str(auth, "registry_token")},
        .hosts_dirs = &hosts_dirs,
        .auth_file = json_get_str(job, "auth_file"),
        .platform = c->platform,
        .concurrency = c->concurrency,
        .idle_timeout_ms = json_get_int(job, "idle_timeout_ms", 0),
        .fetcher = {.socket = -1},
    };

    if (!p.image)
        return error_set(err, ERROR_INVALID, "the job names no image");
    for (size_t i = 0; i < json_len(dirs); i++)
        if (json_str(json_at(dirs, i)))
            strv_add(&hosts_dirs, json_str(json_at(dirs, i)));
    set_proxies(json_get(job, "proxy"));
    return explain ? explain_run(&p, err) : pull(&p, c, err);
}

static int run_import(struct json_object *job, const struct common *c, struct error *err)
{
    const char *name = json_get_str(job, "name");
    struct layout l = {
        .root = c->root,
        .path = json_get_str(job, "path"),
        .name = name ? name : "",
        .platform = c->platform,
        .concurrency = c->concurrency,
    };

    if (!l.path || l.path[0] != '/')
        return error_set(err, ERROR_INVALID, "the job has no absolute path");
    return close_up(c, l.path, err) < 0 ? -1 : layout_import(&l, err);
}

static int run_export(struct json_object *job, const struct common *c, struct error *err)
{
    struct json_object *layers = json_get(job, "layers");
    const char *name = json_get_str(job, "name"), *config = json_get_str(job, "config");
    AUTO_FINI(strv) chain_ids = {0};
    const struct export_spec e = {.root = c->root,
                                  .config = config,
                                  .chain_ids = &chain_ids,
                                  .name = name ? name : "",
                                  .output = JOB_OUTPUT_FD};

    if (!config || !digest_is_valid(config))
        return error_set(err, ERROR_INVALID, "the job has no configuration's digest");
    for (size_t i = 0; i < json_len(layers); i++) {
        const char *id = json_str(json_at(layers, i));

        if (!id || !digest_is_valid(id))
            return error_set(err, ERROR_INVALID, "layer %zu has no chain id", i);
        strv_add(&chain_ids, id);
    }
    return close_up(c, NULL, err) < 0 ? -1 : export_run(&e, err);
}

int job_run(struct json_object *job, struct error *err)
{
    const char *op = json_get_str(job, "op");
    struct common c;

    if (read_common(job, &c, err) < 0)
        return -1;
    if (op && strcmp(op, "explain") == 0)
        return run_pull(job, &c, true, err);
    if (op && strcmp(op, "export") == 0)
        return run_export(job, &c, err);
    if (op && strcmp(op, "pull") == 0)
        return run_pull(job, &c, false, err);
    if (op && strcmp(op, "import") == 0)
        return run_import(job, &c, err);
    return error_set(err, ERROR_INVALID, "there is no operation \"%s\"", op ? op : "");
}
