// SPDX-License-Identifier: Apache-2.0
#include "imaged/pull.h"

#include <errno.h>
#include <string.h>

#include "image/manifest.h"
#include "imaged/assembly.h"
#include "imaged/errand.h"
#include "imaged/part.h"
#include "imaged/sha.h"
#include "imaged/stop.h"

/* What the descriptor carries itself. */
static int take_embedded(const struct descriptor *d, unpack_write *write, void *to,
                         struct error *err)
{
    if (sha_verify(d->digest, d->data, (size_t)d->size, err) < 0)
        return error_wrap(err, "the data in its descriptor");
    return write(to, d->data, (size_t)d->size, err);
}

static int append(void *data, const void *bytes, size_t len, struct error *err)
{
    return buf_append(data, bytes, len, err);
}

static int load(void *data, const struct descriptor *d, struct buf *out, struct error *err)
{
    const struct pull *p = data;

    if (stop_check(err) < 0)
        return -1;
    if (d->size > MANIFEST_BYTES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%s has more than %d bytes", d->digest,
                         MANIFEST_BYTES_MAX);
    return d->data ? take_embedded(d, append, out, err)
                   : errand_load(p->fetcher.socket, d, out, err);
}

/* Bytes that are not what they should be would be as wrong the next time. */
static bool is_worth_keeping(const struct error *err)
{
    return err->code != ERROR_PRECONDITION && err->code != ERROR_INVALID &&
           err->code != ERROR_EXHAUSTED && err->code != ERROR_DATA_LOSS;
}

static int fetch(void *data, const struct descriptor *blob, unpack_write *write, void *target,
                 struct error *err)
{
    const struct pull *p = data;
    struct part part;
    int result;

    if (blob->data)
        return take_embedded(blob, write, target, err);
    if (part_open(p->root, blob->digest, blob->size, &part, err) < 0)
        return -1;
    result = errand_fetch(p->fetcher.socket, blob, &part, write, target, err);
    part_close(&part, result == 0 || !is_worth_keeping(err));
    return result;
}

/* repo:tag, when that was asked for, and repo@digest. */
static void name_it(const struct image_reference *ref, const char *digest, struct strv *out)
{
    char text[REFERENCE_TEXT_SIZE];

    if (ref->tag[0]) {
        reference_format(ref, text);
        strv_add(out, text);
    }
    reference_format_digest(ref, digest, text);
    strv_add(out, text);
}

static int pull(struct pull *p, const struct image_reference *ref, struct error *err)
{
    AUTO_FINI(descriptor) target = {0};
    AUTO_FINI(buf) body = BUF(MANIFEST_BYTES_MAX);
    AUTO_FINI(strv) names = {0};
    struct assembly a = {.root = p->root,
                         .platform = p->platform,
                         .concurrency = p->concurrency,
                         .source = {p, load, fetch},
                         .names = &names};

    if (errand_resolve(p->fetcher.socket, &target, &body, err) < 0)
        return -1;
    name_it(ref, target.digest, &names);
    return assembly_run(&a, &target, &body, err);
}

int pull_start(struct pull *p, struct error *err)
{
    struct image_reference ref;
    const struct registry_options options = {.reference = &ref,
                                             .hosts_dirs = p->hosts_dirs,
                                             .credentials = &p->credentials,
                                             .auth_file = p->auth_file,
                                             .idle_timeout_ms = p->idle_timeout_ms};

    if (reference_parse(p->image, &ref, err) < 0)
        return -1;
    return fetcher_start(&options, &p->fetcher, err) < 0 ? error_wrap(err, "pull %s", p->image) : 0;
}

int pull_run(struct pull *p, struct error *err)
{
    struct image_reference ref;

    if (reference_parse(p->image, &ref, err) < 0)
        return -1;
    if (pull(p, &ref, err) == 0)
        return 0;
    error_wrap(err, "pull %s", p->image);
    if (err->errnum != ENETUNREACH)
        return -1;
    err->code = ERROR_UNKNOWN;
    return error_wrap(err, "RegistryUnavailable");
}
