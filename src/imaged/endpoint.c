// SPDX-License-Identifier: Apache-2.0
#include "imaged/endpoint.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "image/redact.h"
#include "imaged/stop.h"

enum { PAUSE_MS = 50, BUSY_PAUSE_MS = 1000, BROKEN_TRIES_MAX = 2, WORDS_MAX = 300 };

int endpoint_init(struct endpoint *e, const struct host *host, int64_t idle_timeout_ms,
                  struct error *err)
{
    const struct http_settings settings = {.ca = &host->ca,
                                           .certs = &host->certs,
                                           .keys = &host->keys,
                                           .skip_verify = host->skip_verify,
                                           .connect_timeout_ms = host->dial_timeout_ms,
                                           .idle_timeout_ms = idle_timeout_ms};

    e->host = host;
    atomic_init(&e->plain, host->plain);
    e->client = http_client_new(&settings, err);
    return e->client ? 0 : -1;
}

void endpoint_fini(struct endpoint *e)
{
    http_client_free(e->client);
    e->client = NULL;
}

static int make_url(const struct endpoint *e, const struct endpoint_request *r, bool plain,
                    struct buf *out, struct error *err)
{
    AUTO_FINI(buf) query = BUF(HTTP_URL_MAX);

    if (r->url)
        return buf_printf(out, err, "%s", r->url);
    if (e->ns && http_add_parameter(&query, "ns", e->ns, err) < 0)
        return -1;
    return buf_printf(out, err, "%s://%s%s/%s/%s/%s%s%s", plain ? "http" : "https",
                      e->host->authority, e->host->path, e->repository, r->kind, r->name,
                      query.len ? "?" : "", query.len ? query.data : "");
}

static bool is_configured(const struct host *host, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < host->headers.len; i++)
        if (strncasecmp(host->headers.items[i], name, len) == 0 &&
            host->headers.items[i][len] == ':')
            return true;
    return false;
}

/* What one endpoint_perform() goes through. */
struct attempts {
    int count;
    int logins;
    int last_status;
    bool plain; /* this one is by http */
    const char *authorization;
};

static int once(struct endpoint *e, const struct endpoint_request *r, const struct attempts *t,
                struct http_answer *out, struct error *err)
{
    AUTO_FINI(buf) url = BUF(HTTP_URL_MAX);
    AUTO_FINI(strv) headers = {0};
    struct http_request request = {.method = r->method,
                                   .headers = &headers,
                                   .private_headers = &e->host->headers,
                                   .authorization = t->authorization,
                                   .stay_secure = r->stay_secure,
                                   .body = r->body,
                                   .data = r->data};

    if (!is_configured(e->host, "Accept"))
        strv_addf(&headers, "Accept: %s", r->accept);
    if (r->offset > 0)
        strv_addf(&headers, "Range: bytes=%lld-", (long long)r->offset);
    if (make_url(e, r, t->plain, &url, err) < 0)
        return -1;
    request.url = url.data;
    return http_perform(e->client, &request, out, err);
}

/* How long until another try after that answer; -1: it is final. */
static int64_t pause_after_answer(const struct endpoint_request *r, const struct http_answer *a,
                                  const struct attempts *t)
{
    int64_t wait_ms = a->retry_after_ms;
    bool busy = a->status == 408 || a->status == 429;
    bool broken = a->status == 500 || (a->status >= 502 && a->status <= 504);

    if (!busy && !(broken && r->last && a->status != t->last_status))
        return -1;
    if (wait_ms < 0)
        wait_ms = busy ? (int64_t)BUSY_PAUSE_MS << (t->count - 1) : PAUSE_MS;
    /* Who asks earlier than told makes it worse: whoever wanted the pull tries it again later. */
    return wait_ms <= ENDPOINT_WAIT_MAX_MS ? wait_ms : -1;
}

static int64_t pause_after_fault(struct endpoint *e, const struct endpoint_request *r,
                                 const struct http_answer *a, struct attempts *t)
{
    bool has_port = strchr(e->host->authority + (*e->host->authority == '['), ':');

    if (a->body_len > 0 || stop_is_requested())
        return -1;
    if (e->host->plain_fallback && !t->plain &&
        (a->fault == HTTP_FAULT_NO_TLS || (a->fault == HTTP_FAULT_CONNECT && !has_port))) {
        atomic_store(&e->plain, true);
        t->count--;
        return 0;
    }
    /* Silence takes its time to be noticed, so not often. */
    return a->fault == HTTP_FAULT_BROKEN && r->last && t->count < BROKEN_TRIES_MAX ? PAUSE_MS : -1;
}

static struct auth_host auth_host_of(const struct endpoint *e)
{
    return (struct auth_host){.authority = e->host->authority,
                              .client = e->client,
                              .headers = &e->host->headers,
                              .credentials = e->credentials};
}

static int login(struct endpoint *e, const struct http_answer *a, const char *sent,
                 struct error *err)
{
    const struct auth_host host = auth_host_of(e);

    if (auth_challenged(e->auth, &host, &a->challenges, sent, err) == 0)
        return 0;
    if (err->code != ERROR_UNAUTHENTICATED)
        return error_wrap(err, "%s", e->host->authority);
    return error_wrap(err,
                      "pull access denied, repository %s does not exist or may require "
                      "authorization",
                      e->repository);
}

/* 1 when there is to be another try. */
static int attempt(struct endpoint *e, const struct endpoint_request *r, struct attempts *t,
                   struct http_answer *out, struct error *err)
{
    int64_t pause_ms;
    int done;

    t->count++;
    t->plain = atomic_load(&e->plain);
    done = once(e, r, t, out, err);
    if (done == 0 && out->status == 401 && e->auth && !out->elsewhere &&
        t->logins++ < ENDPOINT_LOGINS_MAX)
        return login(e, out, t->authorization, err) < 0 ? -1 : 1;
    pause_ms = done < 0 ? pause_after_fault(e, r, out, t) : pause_after_answer(r, out, t);
    t->last_status = out->status;
    if (pause_ms < 0 || t->count >= ENDPOINT_TRIES_MAX)
        return done;
    if (pause_ms > 0)
        stop_sleep_ms((int)pause_ms);
    return stop_check(err) < 0 ? -1 : 1;
}

int endpoint_perform(struct endpoint *e, const struct endpoint_request *request,
                     struct http_answer *out, struct error *err)
{
    const struct auth_host host = auth_host_of(e);
    struct attempts t = {0};
    int again;

    for (;;) {
        AUTO_FREE char *authorization = NULL;

        *out = (struct http_answer){.fault = HTTP_FAULT_OTHER};
        if (e->auth && auth_header(e->auth, &host, &authorization, err) < 0)
            return error_wrap(err, "%s", e->host->authority);
        t.authorization = authorization;
        again = attempt(e, request, &t, out, err);
        if (again <= 0)
            return again;
        http_answer_fini(out);
    }
}

static enum error_code code_of(int status)
{
    switch (status) {
    case 401:
        return ERROR_UNAUTHENTICATED;
    case 403:
        return ERROR_PERMISSION;
    case 404:
        return ERROR_NOT_FOUND;
    default:
        return status == 408 || status == 429 || status >= 500 ? ERROR_UNAVAILABLE : ERROR_UNKNOWN;
    }
}

/* Of {"errors":[{"code":"...","message":"..."}]}. */
static char *words_in_json(struct json_object *json)
{
    struct json_object *first = json_at(json_get(json, "errors"), 0);
    const char *message = json_get_str(first, "message"), *code = json_get_str(first, "code");

    return message && *message ? xasprintf("%.300s", message)
                               : xasprintf("%.100s", code ? code : "");
}

/* The registry's own words, or those of what stands before it, cleaned. */
static char *words_of(const struct http_answer *a)
{
    struct error ignored;
    const char *body = a->error_body.len ? a->error_body.data : "";
    const char *type = a->content_type ? a->content_type : "";
    JSON_AUTO *json = json_parse(body, a->error_body.len, &ignored);
    bool plain = !json && (!*type || strncasecmp(type, "text/plain", 10) == 0);
    size_t len = strcspn(body, "\r\n");
    AUTO_FREE char *words =
        plain ? xstrndup(body, len < WORDS_MAX ? len : WORDS_MAX) : words_in_json(json);
    char *clean = redact_urls(words);

    for (char *c = clean; *c; c++) {
        unsigned char byte = (unsigned char)*c;

        if (byte < 0x20 || byte == 0x7f || (plain && byte > 0x7f)) /* in who knows which encoding */
            *c = ' ';
    }
    return clean;
}

int endpoint_refused(const struct endpoint *e, const struct http_answer *answer, struct error *err)
{
    AUTO_FREE char *words = words_of(answer);
    const char *advice = "";

    if (!*words) {
        free(words);
        words = xstrdup(answer->status == 404 ? "not found there" : "no reason given");
    }
    if (answer->status == 401 || answer->status == 403)
        advice =
            " (pull access denied: the repository does not exist or may require authorization)";
    else if (answer->status == 429)
        advice = " (too many requests: pull with credentials, or later)";
    if (answer->retry_after_ms > ENDPOINT_WAIT_MAX_MS)
        return error_set(err, code_of(answer->status),
                         "%s answered %d: %s%s; it wants to be left alone for %lld s",
                         e->host->authority, answer->status, words, advice,
                         (long long)(answer->retry_after_ms / 1000));
    return error_set(err, code_of(answer->status), "%s answered %d: %s%s", e->host->authority,
                     answer->status, words, advice);
}
