// SPDX-License-Identifier: Apache-2.0
#include "imaged/registry.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "image/manifest.h"
#include "imaged/auth.h"
#include "imaged/download.h"
#include "imaged/endpoint.h"
#include "imaged/keyring.h"
#include "imaged/resolution.h"
#include "imaged/sha.h"
#include "imaged/stop.h"
#include "imaged/walk.h"

struct registry {
    struct image_reference reference;
    struct hosts hosts;
    struct keyring *keyring;
    struct auth *auth;
    struct endpoint *endpoints; /* one per host */
    struct host foreign_host;   /* settings for the URLs of foreign layers */
    struct endpoint foreign;
};

int registry_global_init(struct error *err)
{
    return http_global_init(err);
}

static const char *ns_of(const struct registry *r, const struct host *host)
{
    const char *domain = r->reference.domain;

    return strcmp(host->authority, domain) == 0 ||
                   strcmp(host->authority, hosts_upstream(domain)) == 0
               ? NULL
               : domain;
}

/* That a file is missing is not to be taken for a missing image. */
static int refuse_settings(const char *authority, struct error *err)
{
    if (err->code == ERROR_NOT_FOUND)
        err->code = ERROR_PRECONDITION;
    return error_wrap(err, "%s", authority);
}

static int connect_up(struct registry *r, int64_t idle_timeout_ms, struct error *err)
{
    r->endpoints = xcalloc(r->hosts.len, sizeof *r->endpoints);
    for (size_t i = 0; i < r->hosts.len; i++) {
        struct endpoint *e = &r->endpoints[i];

        e->auth = r->auth;
        e->repository = r->reference.path;
        e->ns = ns_of(r, &r->hosts.items[i]);
        e->credentials =
            keyring_find(r->keyring, r->hosts.items[i].authority, e->repository, e->ns);
        if (endpoint_init(e, &r->hosts.items[i], idle_timeout_ms, err) < 0)
            return refuse_settings(r->hosts.items[i].authority, err);
    }
    r->foreign_host.authority = (char *)"its URL";
    r->foreign_host.dial_timeout_ms = HOSTS_DIAL_TIMEOUT_MS;
    return endpoint_init(&r->foreign, &r->foreign_host, idle_timeout_ms, err);
}

static int set_up(struct registry *r, const struct registry_options *options, struct error *err)
{
    AUTO_FREE char *scope = xasprintf("repository:%s:pull", r->reference.path);
    int64_t idle_ms = options->idle_timeout_ms;

    if (hosts_load(options->hosts_dirs, r->reference.domain, &r->hosts, err) < 0)
        return -1;
    r->keyring = keyring_open(options->credentials, options->auth_file, err);
    if (!r->keyring)
        return -1;
    r->auth = auth_new(scope);
    return connect_up(r, idle_ms > 0 ? idle_ms : REGISTRY_IDLE_TIMEOUT_MS, err);
}

struct registry *registry_open(const struct registry_options *options, struct error *err)
{
    AUTO(registry) *r = xcalloc(1, sizeof *r);

    r->reference = *options->reference;
    return set_up(r, options, err) < 0 ? NULL : TAKE(r);
}

void registry_close(struct registry *r)
{
    if (!r)
        return;
    for (size_t i = 0; r->endpoints && i < r->hosts.len; i++)
        endpoint_fini(&r->endpoints[i]);
    endpoint_fini(&r->foreign);
    free(r->endpoints);
    auth_free(r->auth);
    keyring_free(r->keyring);
    hosts_fini(&r->hosts);
    free(r);
}

void registry_unused(const struct registry *r, struct strv *out)
{
    if (r->hosts.unused)
        strv_add(out, r->hosts.unused);
    if (keyring_unused(r->keyring))
        strv_add(out, keyring_unused(r->keyring));
}

const char *registry_hosts_source(const struct registry *r)
{
    return r->hosts.source;
}

/* The next endpoint with those capabilities, or NULL; *at moves behind it. */
static struct endpoint *next(struct registry *r, unsigned capabilities, size_t *at)
{
    while (*at < r->hosts.len) {
        size_t i = (*at)++;

        if ((r->hosts.items[i].capabilities & capabilities) == capabilities)
            return &r->endpoints[i];
    }
    return NULL;
}

static bool is_last(struct registry *r, unsigned capabilities, size_t at)
{
    return !next(r, capabilities, &at);
}

/* The end of a walk that found nothing; always -1. */
static int failed(const struct walk *w, const char *what, struct error *err)
{
    walk_end(w, what, err);
    err->errnum = w->unreachable ? ENETUNREACH : 0;
    return -1;
}

static unsigned needed(const struct registry *r)
{
    return *r->reference.digest ? HOST_PULL : HOST_PULL | HOST_RESOLVE;
}

static int resolve(struct registry *r, const char *kind, struct walk *w, struct descriptor *out,
                   struct buf *out_body, struct error *err)
{
    struct endpoint *e;

    for (size_t at = 0; (e = next(r, needed(r), &at));) {
        AUTO_FINI(resolution) found = {0};
        bool last = is_last(r, needed(r), at);

        if (resolution_ask(e, &r->reference, kind, last, &found, err) < 0) {
            if (walk_note(w, found.fault, found.status, err) < 0)
                return -1;
            continue;
        }
        if (found.body.len > 0 && buf_append(out_body, found.body.data, found.body.len, err) < 0)
            return -1;
        descriptor_copy(out, &found.descriptor);
        return 0;
    }
    return failed(w, "resolve", err);
}

/* Some registries keep what a digest names as a blob only. */
int registry_resolve(struct registry *r, struct descriptor *out, struct buf *out_body,
                     struct error *err)
{
    struct walk w = {0}, blobs = {0};
    int done = resolve(r, "manifests", &w, out, out_body, err);
    struct error second;

    if (done == 0 || !*r->reference.digest || w.gravity != WALK_NOT_FOUND)
        return done;
    return resolve(r, "blobs", &blobs, out, out_body, &second);
}

static void explain(struct registry *r, struct endpoint *e, struct registry_report *report,
                    struct resolution *out, struct error *err)
{
    report->is_asked = (e->host->capabilities & needed(r)) == needed(r);
    if (!report->is_asked)
        report->words = "its capabilities in hosts.toml do not let it be asked";
    else if (resolution_ask(e, &r->reference, "manifests", true, out, err) < 0)
        report->words = err->text;
    report->scheme = atomic_load(&e->plain) ? "http" : "https";
    if (!report->words) {
        report->digest = out->descriptor.digest;
        report->type = out->descriptor.media_type;
    }
}

int registry_explain(struct registry *r,
                     void (*each)(void *data, const struct registry_report *report), void *data,
                     struct error *err)
{
    bool found = false;

    for (size_t i = 0; i < r->hosts.len; i++) {
        struct endpoint *e = &r->endpoints[i];
        AUTO_FINI(resolution) resolution = {0};
        struct registry_report report = {.authority = e->host->authority,
                                         .path = e->host->path,
                                         .ns = e->ns,
                                         .origin = e->credentials ? e->credentials->origin : NULL};
        struct error words = {0};

        explain(r, e, &report, &resolution, &words);
        if (stop_check(err) < 0)
            return -1;
        report.is_chosen = report.digest && !found;
        found = found || report.digest;
        each(data, &report);
    }
    return 0;
}

/* Manifests are at one place, and all else is a blob. */
static struct endpoint_request request_for(const struct descriptor *d, char **out_accept)
{
    enum media_type type = media_type_of(d->media_type);
    bool manifest = type == MEDIA_TYPE_MANIFEST || type == MEDIA_TYPE_INDEX;

    *out_accept = *d->media_type ? xasprintf("%s, */*", d->media_type) : xstrdup("*/*");
    return (struct endpoint_request){.method = "GET",
                                     .kind = manifest ? "manifests" : "blobs",
                                     .name = d->digest,
                                     .accept = *out_accept};
}

static int get_from(struct endpoint *e, const struct endpoint_request *request,
                    const struct descriptor *d, struct http_answer *answer, struct error *err)
{
    const struct buf *body = request->data;

    if (endpoint_perform(e, request, answer, err) < 0) {
        if (answer->fault != HTTP_FAULT_BODY)
            return -1;
        answer->fault = HTTP_FAULT_OTHER;
        return error_wrap(err, "%s", e->host->authority);
    }
    if (answer->status / 100 != 2)
        return endpoint_refused(e, answer, err);
    if ((int64_t)body->len != d->size)
        return error_set(err, ERROR_PRECONDITION, "%s sent %zu bytes, stated are %lld",
                         e->host->authority, body->len, (long long)d->size);
    if (sha_verify(d->digest, body->data ? body->data : "", body->len, err) < 0)
        return error_wrap(err, "%s", e->host->authority);
    return 0;
}

int registry_get_manifest(struct registry *r, const struct descriptor *d, struct buf *out,
                          struct error *err)
{
    AUTO_FREE char *accept = NULL;
    struct endpoint_request request = request_for(d, &accept);
    struct walk w = {0};
    struct endpoint *e;

    if (d->size > MANIFEST_BYTES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%s has %lld bytes, %d are the limit", d->digest,
                         (long long)d->size, MANIFEST_BYTES_MAX);
    for (size_t at = 0; (e = next(r, HOST_PULL, &at));) {
        AUTO_FINI(buf) body = BUF((size_t)d->size);
        AUTO_FINI(http_answer) answer = {0};

        request.last = is_last(r, HOST_PULL, at);
        request.body = resolution_keep;
        request.data = &body;
        if (get_from(e, &request, d, &answer, err) < 0) {
            if (walk_note(&w, answer.fault, answer.status, err) < 0)
                return -1;
            continue;
        }
        return buf_append(out, body.data, body.len, err);
    }
    return failed(&w, "pull", err);
}

/* A foreign layer is at its URLs first. 1 when none of them has it. */
static int fetch_foreign(struct registry *r, const struct descriptor *d, struct download *dl,
                         struct error *err)
{
    for (size_t i = 0; i < d->urls.len; i++) {
        const struct endpoint_request request = {
            .url = d->urls.items[i], .accept = "*/*", .last = true};
        struct download_failure failure;

        if (download_from(dl, &r->foreign, &request, &failure, err) == 0)
            return 0;
        if (failure.status != 404)
            return error_wrap(err, "foreign layer");
    }
    return 1;
}

static int fetch_from_hosts(struct registry *r, const struct descriptor *d, struct download *dl,
                            struct error *err)
{
    struct walk w = {0};
    AUTO_FREE char *accept = NULL;
    struct endpoint_request request = request_for(d, &accept);
    struct endpoint *e;

    for (size_t at = 0; (e = next(r, HOST_PULL, &at));) {
        struct download_failure failure;

        request.last = is_last(r, HOST_PULL, at);
        if (download_from(dl, e, &request, &failure, err) == 0)
            return 0;
        if (walk_note(&w, failure.fault, failure.status, err) < 0)
            return -1;
    }
    return failed(&w, "pull", err);
}

int registry_fetch_blob(struct registry *r, const struct descriptor *d,
                        const struct registry_sink *sink, struct error *err)
{
    AUTO(download) *dl = NULL;
    int done;

    if (d->size <= 0)
        return error_set(err, ERROR_INVALID, "%s is stated to have a size of zero", d->digest);
    dl = download_new(d, sink);
    done = download_go_on(dl, err);
    if (done == 1)
        done = fetch_foreign(r, d, dl, err);
    if (done == 1)
        done = fetch_from_hosts(r, d, dl, err);
    if (done == 0)
        done = download_verify(dl, err);
    return done < 0 ? error_wrap(err, "%s", d->digest) : 0;
}
