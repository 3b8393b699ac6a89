// SPDX-License-Identifier: Apache-2.0
#include "imaged/job.h"

#include <string.h>

#include "base/json.h"
#include "base/own.h"
#include "image/platform.h"
#include "imaged/blob.h"
#include "imaged/layer.h"
#include "imaged/layout.h"
#include "imaged/pull.h"
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

static int run_pull(struct json_object *job, const struct common *c, struct error *err)
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
        .platform = c->platform,
        .concurrency = c->concurrency,
    };

    if (!p.image)
        return error_set(err, ERROR_INVALID, "the job names no image");
    for (size_t i = 0; i < json_len(dirs); i++)
        if (json_str(json_at(dirs, i)))
            strv_add(&hosts_dirs, json_str(json_at(dirs, i)));
    return pull_run(&p, err);
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
    return layout_import(&l, err);
}

int job_run(struct json_object *job, struct error *err)
{
    const char *op = json_get_str(job, "op");
    struct common c;

    if (read_common(job, &c, err) < 0 || blob_prepare(c.root, err) < 0 ||
        layer_prepare(c.root, err) < 0)
        return -1;
    if (op && strcmp(op, "pull") == 0)
        return run_pull(job, &c, err);
    if (op && strcmp(op, "import") == 0)
        return run_import(job, &c, err);
    return error_set(err, ERROR_INVALID, "there is no operation \"%s\"", op ? op : "");
}
