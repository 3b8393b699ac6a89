// SPDX-License-Identifier: Apache-2.0
#include "imaged/errand_message.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/own.h"

void errand_request_fini(struct errand_request *r)
{
    descriptor_fini(&r->descriptor);
}

struct json_object *errand_request_encode(enum errand_kind kind, const struct descriptor *d,
                                          int64_t kept)
{
    struct json_object *request = json_object_new_object(), *urls;

    json_add_int(request, "kind", kind);
    if (!d)
        return request;
    json_add_str(request, "digest", d->digest);
    json_add_str(request, "mediaType", d->media_type);
    json_add_int(request, "size", d->size);
    json_add_int(request, "kept", kept);
    urls = json_add_array(request, "urls");
    for (size_t i = 0; i < d->urls.len; i++)
        json_add_str(urls, NULL, d->urls.items[i]);
    return request;
}

int errand_request_decode(const char *text, size_t len, struct errand_request *out,
                          struct error *err)
{
    JSON_AUTO *request = json_parse(text, len, err);
    AUTO_FINI(errand_request) r = {0};
    int64_t kind = json_get_int(request, "kind", -1);

    if (!request)
        return -1;
    if (kind < ERRAND_RESOLVE || kind > ERRAND_BLOB)
        return error_set(err, ERROR_INVALID, "an errand of no kind");
    r.kind = (enum errand_kind)kind;
    r.kept = json_get_int(request, "kept", 0);
    if (r.kind != ERRAND_RESOLVE && descriptor_decode(request, &r.descriptor, err) < 0)
        return -1;
    if (r.kept < 0 || r.kept > r.descriptor.size)
        return error_set(err, ERROR_INVALID, "an errand with more bytes than there are");
    *out = r;
    memset(&r, 0, sizeof r);
    return 0;
}

int errand_report_check(const struct errand_report *report, int64_t size, struct error *err)
{
    if (report->state < ERRAND_MOVED || report->state > ERRAND_FAILED ||
        report->len > ERRAND_REPORT_MAX || (report->state == ERRAND_MOVED && report->len > 0))
        return error_set(err, ERROR_INTERNAL, "a report that makes no sense");
    if (report->received < 0 || (size >= 0 && report->received > size))
        return error_set(err, ERROR_INTERNAL, "a report of more bytes than there are");
    return 0;
}

struct json_object *errand_failure_encode(const struct error *why)
{
    struct json_object *to = json_object_new_object();

    json_add_int(to, "code", why->code);
    json_add_flag(to, "unreachable", why->errnum == ENETUNREACH);
    json_add_str(to, "message", why->text);
    return to;
}

void errand_failure_decode(struct json_object *from, struct error *out)
{
    int64_t code = json_get_int(from, "code", 0);
    const char *message = json_get_str(from, "message");

    error_set(out,
              code > 0 && code <= ERROR_UNAUTHENTICATED ? (enum error_code)code : ERROR_UNKNOWN,
              "%s", message ? message : "no reason given");
    out->errnum = json_get_flag(from, "unreachable", false) ? ENETUNREACH : 0;
}
