// SPDX-License-Identifier: Apache-2.0
/* fetch_image: gets all of an image and throws it away, for real_registry.py.
 *
 *     fetch_image <reference> <folder with hosts.toml folders, or ""> [<username> <password>]
 *
 * With an empty username the password is an identity token.
 *
 * Prints "<digest of the manifest> <bytes of the blobs>". */
#include "image/manifest.h"
#include "imaged/registry.h"

static int discard(void *data, const void *bytes, size_t len, struct error *err)
{
    *(int64_t *)data += (int64_t)len;
    return 0;
}

static int fetch_all(struct registry *r, const struct manifest *m, int64_t *total,
                     struct error *err)
{
    const struct registry_sink sink = {.write = discard, .data = total};

    if (registry_fetch_blob(r, &m->config, &sink, err) < 0)
        return -1;
    for (size_t i = 0; i < m->layers_len; i++)
        if (registry_fetch_blob(r, &m->layers[i], &sink, err) < 0)
            return -1;
    return 0;
}

/* Goes down indexes to the manifest for this machine. */
static int fetch(struct registry *r, const struct descriptor *d, struct buf *body, int64_t *total,
                 struct error *err)
{
    AUTO(manifest) *m = manifest_parse(body->data, body->len, d->media_type, err);
    const struct descriptor *chosen;
    struct platform host;

    platform_host(&host);
    if (!m)
        return -1;
    if (m->kind == MEDIA_TYPE_MANIFEST)
        return fetch_all(r, m, total, err);
    chosen = manifest_select(m, &host, err);
    body->len = 0;
    if (!chosen || registry_get_manifest(r, chosen, body, err) < 0)
        return -1;
    return fetch(r, chosen, body, total, err);
}

static int run(char **argv, const struct registry_credentials *credentials, struct error *err)
{
    struct image_reference ref;
    AUTO_FINI(strv) roots = {0};
    AUTO_FINI(descriptor) d = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);
    const struct registry_options options = {
        .reference = &ref, .hosts_dirs = &roots, .credentials = credentials};
    AUTO(registry) *r = NULL;
    int64_t total = 0;

    strv_add_split(&roots, argv[2], ':');
    if (registry_global_init(err) < 0 || reference_parse(argv[1], &ref, err) < 0)
        return -1;
    r = registry_open(&options, err);
    if (!r || registry_resolve(r, &d, &body, err) < 0)
        return -1;
    if (body.len == 0 && registry_get_manifest(r, &d, &body, err) < 0)
        return -1;
    if (fetch(r, &d, &body, &total, err) < 0)
        return -1;
    printf("%s %lld\n", d.digest, (long long)total);
    return 0;
}

int main(int argc, char **argv)
{
    struct registry_credentials credentials = {0};
    struct error err = {0};

    if (argc != 3 && argc != 5)
        return 2;
    if (argc == 5)
        credentials = (struct registry_credentials){
            .username = argv[3], .password = argv[4], .identity_token = *argv[3] ? NULL : argv[4]};
    if (run(argv, &credentials, &err) == 0)
        return 0;
    fprintf(stderr, "%s: %s\n", error_code_name(err.code), err.text);
    return 1;
}
