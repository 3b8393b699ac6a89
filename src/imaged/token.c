// SPDX-License-Identifier: Apache-2.0
#include "imaged/token.h"

#include <string.h>

#include "base/json.h"
#include "imaged/http.h"

static int keep(void *data, const struct http_answer *answer, const void *bytes, size_t len,
                struct error *err)
{
    return buf_append(data, bytes, len, err);
}

/* What can be put in a header line. */
static const char *usable(const char *token)
{
    return token && *token &&
                   strspn(token, "!\"#$%&'()*+,-./0123456789:;<=>?@[\\]^_`{|}~"
                                 "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(token)
               ? token
               : NULL;
}

int token_decode(const char *text, size_t len, char **out_token, int64_t *out_life_ms,
                 struct error *err)
{
    JSON_AUTO *json = json_parse(text, len, err);
    const char *token = usable(json_get_str(json, "access_token"));
    int64_t seconds = json_get_int(json, "expires_in", 0);

    if (!token)
        token = usable(json_get_str(json, "token"));
    if (!json)
        return error_wrap(err, "read token");
    if (!token)
        return error_set(err, ERROR_UNAUTHENTICATED, "the answer has no token");
    *out_token = xstrdup(token);
    *out_life_ms = seconds > 0 && seconds < INT32_MAX ? seconds * 1000 : TOKEN_LIFE_MS;
    return 0;
}

static const char *text_of(const struct buf *body)
{
    return body->data ? body->data : "";
}

static int refused(const struct http_answer *answer, struct error *err)
{
    enum error_code code = answer->status == 403   ? ERROR_PERMISSION
                           : answer->status >= 500 ? ERROR_UNAVAILABLE
                                                   : ERROR_UNAUTHENTICATED;

    return error_set(err, code, "answered %d: authorization failed", answer->status);
}

static int make_form(const struct token_request *r, struct buf *out, struct error *err)
{
    const struct credentials *c = r->credentials;
    AUTO_FREE char *scope = strv_join(r->scopes, " ");

    if (http_add_parameter(out, "scope", scope, err) < 0 ||
        (r->service && http_add_parameter(out, "service", r->service, err) < 0) ||
        http_add_parameter(out, "client_id", "berth", err) < 0)
        return -1;
    if (!*c->username)
        return http_add_parameter(out, "grant_type", "refresh_token", err) < 0
                   ? -1
                   : http_add_parameter(out, "refresh_token", c->secret, err);
    if (http_add_parameter(out, "grant_type", "password", err) < 0 ||
        http_add_parameter(out, "username", c->username, err) < 0)
        return -1;
    return http_add_parameter(out, "password", c->secret, err);
}

/* 1 when the server wants to be asked by GET. */
static int by_post(const struct token_request *r, char **out_token, int64_t *out_life_ms,
                   struct error *err)
{
    AUTO_FINI(buf) form = BUF(TOKEN_BYTES_MAX);
    AUTO_FINI(buf) body = BUF(TOKEN_BYTES_MAX);
    AUTO_FINI(http_answer) answer = {0};
    struct http_request request = {.method = "POST",
                                   .url = r->realm,
                                   .private_headers = r->headers,
                                   .body = keep,
                                   .data = &body};

    if (make_form(r, &form, err) < 0)
        return -1;
    request.form = form.data;
    if (http_perform(r->client, &request, &answer, err) < 0)
        return -1;
    if (answer.status == 400 || answer.status == 401 || answer.status == 404 ||
        answer.status == 405)
        return 1;
    return answer.status / 100 == 2
               ? token_decode(text_of(&body), body.len, out_token, out_life_ms, err)
               : refused(&answer, err);
}

static int make_url(const struct token_request *r, struct buf *out, struct error *err)
{
    AUTO_FINI(buf) query = BUF(HTTP_URL_MAX);

    if (r->service && http_add_parameter(&query, "service", r->service, err) < 0)
        return -1;
    for (size_t i = 0; i < r->scopes->len; i++)
        if (http_add_parameter(&query, "scope", r->scopes->items[i], err) < 0)
            return -1;
    return buf_printf(out, err, "%s%s%s", r->realm, strchr(r->realm, '?') ? "&" : "?",
                      query.data ? query.data : "");
}

static int by_get(const struct token_request *r, char **out_token, int64_t *out_life_ms,
                  struct error *err)
{
    AUTO_FREE char *authorization =
        r->credentials->secret ? credentials_basic(r->credentials) : NULL;
    AUTO_FINI(buf) url = BUF(HTTP_URL_MAX);
    AUTO_FINI(buf) body = BUF(TOKEN_BYTES_MAX);
    AUTO_FINI(http_answer) answer = {0};
    struct http_request request = {.method = "GET",
                                   .private_headers = r->headers,
                                   .authorization = authorization,
                                   .body = keep,
                                   .data = &body};

    if (make_url(r, &url, err) < 0)
        return -1;
    request.url = url.data;
    if (http_perform(r->client, &request, &answer, err) < 0)
        return -1;
    return answer.status / 100 == 2
               ? token_decode(text_of(&body), body.len, out_token, out_life_ms, err)
               : refused(&answer, err);
}

int token_fetch(const struct token_request *request, char **out_token, int64_t *out_life_ms,
                struct error *err)
{
    int done = 1;

    if (strncmp(request->realm, "https://", 8) != 0 && strncmp(request->realm, "http://", 7) != 0)
        return error_set(err, ERROR_UNAUTHENTICATED, "the challenge's realm is no URL");
    if (request->credentials->secret)
        done = by_post(request, out_token, out_life_ms, err);
    if (done == 1)
        done = by_get(request, out_token, out_life_ms, err);
    if (done < 0)
        return error_wrap(err, "token from %.*s", (int)strcspn(request->realm, "?"),
                          request->realm);
    return 0;
}
