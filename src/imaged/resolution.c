// SPDX-License-Identifier: Apache-2.0
#include "imaged/resolution.h"

#include <string.h>

#include "image/manifest.h"
#include "imaged/sha.h"

#define ACCEPT                                                                                     \
    MEDIA_TYPE_DOCKER_MANIFEST ", " MEDIA_TYPE_DOCKER_INDEX ", " MEDIA_TYPE_OCI_MANIFEST           \
                               ", " MEDIA_TYPE_OCI_INDEX ", */*"

void resolution_fini(struct resolution *r)
{
    descriptor_fini(&r->descriptor);
    buf_fini(&r->body);
}

int resolution_keep(void *data, const struct http_answer *answer, const void *bytes, size_t len,
                    struct error *err)
{
    struct buf *body = data;

    if (buf_append(body, bytes, len, err) < 0)
        return error_set(err, ERROR_EXHAUSTED, "it is larger than the %zu bytes allowed",
                         body->max);
    return 0;
}

static int refuse_schema1(struct error *err)
{
    return error_set(err, ERROR_UNIMPLEMENTED, "schema 1 image manifests are no longer supported");
}

/* The Content-Type when it is a manifest's. *out stays NULL when it says nothing. */
static int stated_type(const struct http_answer *a, char **out, struct error *err)
{
    const char *stated = a->content_type ? a->content_type : "";
    size_t len = strcspn(stated, "; ");
    enum media_type type = media_type_of(stated);

    if (type == MEDIA_TYPE_SCHEMA1 || (len == 10 && strncmp(stated, "text/plain", len) == 0))
        return refuse_schema1(err);
    if (type == MEDIA_TYPE_MANIFEST || type == MEDIA_TYPE_INDEX)
        *out = xstrndup(stated, len);
    return 0;
}

/* 1 when a HEAD's answer tells all there is to know. */
static int describe_head(const struct http_answer *a, const struct image_reference *reference,
                         struct descriptor *out, struct error *err)
{
    const char *digest = *reference->digest ? reference->digest : a->digest;
    AUTO_FREE char *type = NULL;

    if (a->content_length > MANIFEST_BYTES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "a manifest of %lld bytes, %d are the limit",
                         (long long)a->content_length, MANIFEST_BYTES_MAX);
    if (stated_type(a, &type, err) < 0)
        return -1;
    if (!type || !*digest || a->content_length <= 0)
        return 0;
    descriptor_set(out, type, digest, a->content_length);
    return 1;
}

static int describe_body(const struct http_answer *a, const struct image_reference *reference,
                         const struct buf *body, struct descriptor *out, struct error *err)
{
    const char *wanted = *reference->digest ? reference->digest : a->digest;
    const char *bytes = body->data ? body->data : "";
    AUTO_FREE char *type = NULL;
    char digest[DIGEST_SIZE];

    sha_of(*wanted ? digest_algorithm_of(wanted) : DIGEST_SHA256, bytes, body->len, digest);
    if (*wanted && strcmp(wanted, digest) != 0)
        return error_set(err, ERROR_PRECONDITION, "the manifest should have %s, but has %s", wanted,
                         digest);
    if (stated_type(a, &type, err) < 0)
        return -1;
    if (!type) {
        AUTO(manifest) *m = manifest_parse(bytes, body->len, NULL, err);

        if (!m)
            return -1;
        type = xstrdup(m->media_type);
    }
    descriptor_set(out, type, digest, (int64_t)body->len);
    return 0;
}

static int perform(struct endpoint *e, const struct endpoint_request *request,
                   struct resolution *out, struct http_answer *answer, struct error *err)
{
    int done = endpoint_perform(e, request, answer, err);

    out->fault = answer->fault;
    out->status = answer->status;
    return done;
}

/* 1 when it has to be asked by GET. */
static int ask_head(struct endpoint *e, struct endpoint_request request,
                    const struct image_reference *reference, struct resolution *out,
                    struct error *err)
{
    AUTO_FINI(http_answer) answer = {0};
    int told;

    request.method = "HEAD";
    if (perform(e, &request, out, &answer, err) < 0)
        return -1;
    if (answer.status / 100 == 2) {
        told = describe_head(&answer, reference, &out->descriptor, err);
        return told < 0 ? error_wrap(err, "%s", e->host->authority) : !told;
    }
    /* Some do not know HEAD, and the words for people come with GET only. But a mirror that does
     * not have the image need not be asked twice. */
    if (answer.status / 100 == 4 && answer.status != 429 && (answer.status != 404 || request.last))
        return 1;
    return endpoint_refused(e, &answer, err);
}

static int ask_get(struct endpoint *e, struct endpoint_request request,
                   const struct image_reference *reference, struct resolution *out,
                   struct error *err)
{
    AUTO_FINI(http_answer) answer = {0};

    request.method = "GET";
    request.body = resolution_keep;
    request.data = &out->body;
    if (perform(e, &request, out, &answer, err) < 0) {
        if (answer.fault != HTTP_FAULT_BODY)
            return -1;
        out->fault = HTTP_FAULT_OTHER; /* this one's is too large, another host's may not be */
        return error_wrap(err, "manifest of %s", e->host->authority);
    }
    if (answer.status / 100 != 2)
        return endpoint_refused(e, &answer, err);
    if (describe_body(&answer, reference, &out->body, &out->descriptor, err) < 0)
        return error_wrap(err, "%s", e->host->authority);
    return 0;
}

int resolution_ask(struct endpoint *e, const struct image_reference *reference, const char *kind,
                   bool last, struct resolution *out, struct error *err)
{
    const struct endpoint_request request = {.kind = kind,
                                             .name = *reference->digest ? reference->digest
                                                                        : reference->tag,
                                             .accept = ACCEPT,
                                             .last = last,
                                             .stay_secure = !*reference->digest};
    int again;

    *out = (struct resolution){.body = BUF(MANIFEST_BYTES_MAX)};
    again = ask_head(e, request, reference, out, err);
    return again == 1 ? ask_get(e, request, reference, out, err) : again;
}
