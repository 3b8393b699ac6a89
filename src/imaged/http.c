// SPDX-License-Identifier: Apache-2.0
#include "imaged/http.h"

#include <string.h>

#include "base/clock.h"
#include "imaged/hosts.h"
#include "imaged/http_fault.h"
#include "imaged/http_head.h"
#include "imaged/stop.h"

/* One request to one host; redirects are several of them. */
struct transfer {
    const struct http_request *request;
    struct http_answer *answer;
    const char *url;
    struct error *err;
    bool sent;    /* the connection stands */
    bool gave_up; /* the callback did, and err says why */
    bool fell_silent;
    bool has_enough; /* of an error's body */
    size_t head_len;
    int64_t last_ns; /* when something last happened */
    int64_t idle_ns; /* how long nothing may */
    char text[CURL_ERROR_SIZE];
};

static struct http_proxies proxies;

void http_set_proxies(const struct http_proxies *set)
{
    proxies = *set;
}

int http_global_init(struct error *err)
{
    CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);

    if (code != CURLE_OK)
        return error_set(err, ERROR_INTERNAL, "libcurl: %s", curl_easy_strerror(code));
    return 0;
}

void http_answer_fini(struct http_answer *a)
{
    http_head_reset(a);
    buf_fini(&a->error_body);
}

int http_add_parameter(struct buf *text, const char *name, const char *value, struct error *err)
{
    char *escaped = curl_easy_escape(NULL, value, 0);
    int done;

    if (!escaped)
        abort();
    done = buf_printf(text, err, "%s%s=%s", text->len ? "&" : "", name, escaped);
    curl_free(escaped);
    return done;
}

static char *part_of(const char *url, CURLUPart part, unsigned flags)
{
    CURLU *parsed = curl_url();
    char *out = NULL;

    if (!parsed)
        abort();
    if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
        curl_url_get(parsed, part, &out, flags) != CURLUE_OK)
        out = NULL;
    curl_url_cleanup(parsed);
    return out;
}

static bool same_part(const char *url, const char *other, CURLUPart part)
{
    AUTO_FREE char *a = part_of(url, part, CURLU_DEFAULT_PORT);
    AUTO_FREE char *b = part_of(other, part, CURLU_DEFAULT_PORT);

    return a && b && strcasecmp(a, b) == 0;
}

bool http_same_origin(const char *url, const char *other)
{
    return same_part(url, other, CURLUPART_SCHEME) && same_part(url, other, CURLUPART_HOST) &&
           same_part(url, other, CURLUPART_PORT);
}

static size_t on_head(char *line, size_t size, size_t count, void *data)
{
    struct transfer *t = data;
    size_t len = size * count, end = len;

    t->last_ns = clock_monotonic_ns();
    t->head_len += len;
    if (t->head_len > HTTP_HEADERS_MAX)
        return 0;
    while (end > 0 && (line[end - 1] == '\r' || line[end - 1] == '\n'))
        end--;
    if (end > 5 && strncmp(line, "HTTP/", 5) == 0) {
        const char *space = memchr(line, ' ', end);

        http_head_reset(t->answer);
        t->answer->status = space ? (int)strtol(space, NULL, 10) : 0;
    } else {
        http_head_line(t->answer, line, end);
    }
    return len;
}

static size_t keep_error_body(struct transfer *t, const char *bytes, size_t len)
{
    struct buf *body = &t->answer->error_body;
    size_t room = body->max - body->len, some = len < room ? len : room;
    struct error ignored;

    if (buf_append(body, bytes, some, &ignored) < 0)
        some = 0;
    t->has_enough = some < len;
    return some;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *t = data;
    size_t len = size * count;

    if (t->answer->status / 100 != 2)
        return keep_error_body(t, bytes, len);
    t->answer->body_len += (int64_t)len;
    if (t->request->body && t->request->body(t->request->data, t->answer, bytes, len, t->err) < 0) {
        t->gave_up = true;
        return CURL_WRITEFUNC_ERROR;
    }
    /* The time the callback took is not the host's. */
    t->last_ns = clock_monotonic_ns();
    return len;
}

static int on_sent(void *data, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
    struct transfer *t = data;

    t->sent = true;
    t->last_ns = clock_monotonic_ns();
    return CURL_PREREQFUNC_OK;
}

/* curl calls this about once a second, and more often while bytes come. */
static int on_tick(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
                   curl_off_t up_now)
{
    struct transfer *t = data;

    t->fell_silent = t->sent && clock_monotonic_ns() - t->last_ns > t->idle_ns;
    return t->fell_silent || stop_is_requested();
}

static struct curl_slist *append(struct curl_slist *list, const char *text)
{
    struct curl_slist *longer = curl_slist_append(list, text);

    if (!longer)
        abort();
    return longer;
}

static struct curl_slist *append_all(struct curl_slist *list, const struct strv *texts)
{
    for (size_t i = 0; texts && i < texts->len; i++)
        list = append(list, texts->items[i]);
    return list;
}

static struct curl_slist *headers_of(const struct transfer *t)
{
    const struct http_request *r = t->request;
    struct curl_slist *list = append(NULL, "Accept-Encoding: identity");

    list = append(list, "Expect:");
    list = append_all(list, r->headers);
    if (t->answer->elsewhere)
        return list;
    list = append_all(list, r->private_headers);
    if (r->authorization) {
        AUTO_FREE char *line = xasprintf("Authorization: %s", r->authorization);

        list = append(list, line);
    }
    return list;
}

/* What curl does not do by itself: no proxy for loopback, one that is configured, HTTP_PROXY in
 * capitals (which only CGI programs must not trust). */
static void set_proxy(CURL *h, const char *url)
{
    AUTO_FREE char *host = part_of(url, CURLUPART_HOST, 0);
    const char *upper = getenv("HTTP_PROXY");
    const char *set = strncasecmp(url, "http:", 5) == 0 ? proxies.http : proxies.https;

    if (proxies.none && *proxies.none)
        curl_easy_setopt(h, CURLOPT_NOPROXY, proxies.none);
    if (host && hosts_is_loopback(host))
        curl_easy_setopt(h, CURLOPT_PROXY, "");
    else if (set && *set)
        curl_easy_setopt(h, CURLOPT_PROXY, set);
    else if (upper && *upper && !getenv("http_proxy") && strncasecmp(url, "http:", 5) == 0)
        curl_easy_setopt(h, CURLOPT_PROXY, upper);
}

static void set_request(CURL *h, struct transfer *t)
{
    const struct http_request *r = t->request;

    curl_easy_setopt(h, CURLOPT_URL, t->url);
    curl_easy_setopt(h, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set_proxy(h, t->url);
    if (strcmp(r->method, "HEAD") == 0)
        curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    if (r->form) {
        curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)strlen(r->form));
        curl_easy_setopt(h, CURLOPT_POSTFIELDS, r->form);
    }
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, t->text);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, on_sent);
    curl_easy_setopt(h, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_tick);
    curl_easy_setopt(h, CURLOPT_XFERINFODATA, t);
}

static enum http_fault fault_of(const struct transfer *t, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return HTTP_FAULT_CONNECT;
    case CURLE_OPERATION_TIMEDOUT:
        return t->sent                   ? HTTP_FAULT_BROKEN
               : strstr(t->text, "SSL ") ? HTTP_FAULT_NO_TLS
                                         : HTTP_FAULT_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
        return http_fault_of_handshake(t->text);
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return HTTP_FAULT_BROKEN;
    default:
        return t->fell_silent ? HTTP_FAULT_BROKEN : HTTP_FAULT_OTHER;
    }
}

static int explain(struct transfer *t, CURLcode code, long errnum)
{
    AUTO_FREE char *host = part_of(t->url, CURLUPART_HOST, 0);
    AUTO_FREE char *port = part_of(t->url, CURLUPART_PORT, 0);
    const char *colon = port ? ":" : "", *text = *t->text ? t->text : curl_easy_strerror(code);
    const char *name = host ? host : "the registry";
    char proxy[HTTP_FAULT_PEER_SIZE];

    if (!port)
        port = xstrdup("");
    if (stop_is_requested())
        return error_set(t->err, ERROR_CANCELLED, "called off");
    if (t->fell_silent)
        return error_set(t->err, ERROR_UNAVAILABLE, "%s%s%s sent nothing for %lld s", name, colon,
                         port, (long long)(t->idle_ns / CLOCK_NS_PER_S));
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        return error_set(t->err, ERROR_UNAVAILABLE, "%s%s%s has a certificate %s: %s", name, colon,
                         port, http_fault_of_certificate(text), text);
    if (code == CURLE_SSL_CONNECT_ERROR && http_fault_of_handshake(text) != HTTP_FAULT_OTHER)
        return error_set(t->err, ERROR_UNAVAILABLE, "%s%s%s %s", name, colon, port,
                         http_fault_words_of_handshake(text));
    if (t->sent)
        return error_set(t->err, ERROR_UNAVAILABLE, "%s%s%s broke the connection: %s", name, colon,
                         port, text);
    if (code == CURLE_COULDNT_CONNECT && http_fault_find_proxy(t->text, name, proxy))
        return error_set(t->err, ERROR_UNAVAILABLE, "connect to %s%s%s through the proxy %s: %s",
                         name, colon, port, proxy, errnum ? strerror((int)errnum) : text);
    if (code == CURLE_COULDNT_CONNECT && errnum)
        return error_set(t->err, ERROR_UNAVAILABLE, "connect to %s%s%s: %s", name, colon, port,
                         strerror((int)errnum));
    return error_set(t->err, ERROR_UNAVAILABLE, "connect to %s%s%s: %s", name, colon, port, text);
}

/* out_next is where a redirect goes, the caller's to free, or NULL. */
static int perform(struct http_client *c, struct transfer *t, char **out_next)
{
    CURL *h = http_client_take(c);
    struct curl_slist *headers = headers_of(t);
    const char *next = NULL;
    long errnum = 0;
    CURLcode code;

    t->idle_ns = http_client_idle_timeout_ms(c) * CLOCK_NS_PER_MS;
    set_request(h, t);
    curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
    code = curl_easy_perform(h);
    if (code == CURLE_WRITE_ERROR && t->has_enough)
        code = CURLE_OK;
    curl_easy_getinfo(h, CURLINFO_OS_ERRNO, &errnum);
    curl_easy_getinfo(h, CURLINFO_REDIRECT_URL, &next);
    if (code == CURLE_OK && next && t->answer->status / 100 == 3 && !t->request->form)
        *out_next = xstrdup(next);
    http_client_put(c, h);
    curl_slist_free_all(headers);
    if (code == CURLE_OK)
        return 0;
    t->answer->fault = t->gave_up ? HTTP_FAULT_BODY : fault_of(t, code);
    return t->gave_up ? -1 : explain(t, code, errnum);
}

static int check_redirect(const struct http_request *r, const char *from, const char *to,
                          struct error *err)
{
    bool secure = strncasecmp(from, "https:", 6) == 0;

    if (strlen(to) > HTTP_URL_MAX)
        return error_set(err, ERROR_EXHAUSTED, "redirected to a URL of %zu bytes", strlen(to));
    if (r->stay_secure && secure && strncasecmp(to, "https:", 6) != 0)
        return error_set(err, ERROR_PRECONDITION, "redirected from https to what is not secure");
    return 0;
}

int http_perform(struct http_client *c, const struct http_request *request, struct http_answer *out,
                 struct error *err)
{
    AUTO_FREE char *url = xstrdup(request->url);

    *out = (struct http_answer){.error_body = BUF(HTTP_ERROR_BODY_MAX)};
    http_head_reset(out);
    for (int i = 0; i <= HTTP_REDIRECTS_MAX; i++) {
        struct transfer t = {.request = request, .answer = out, .url = url, .err = err};
        AUTO_FREE char *next = NULL;

        out->error_body.len = 0;
        if (perform(c, &t, &next) < 0)
            return -1;
        if (!next)
            return 0;
        if (check_redirect(request, url, next, err) < 0) {
            out->fault = HTTP_FAULT_OTHER;
            return -1;
        }
        if (!http_same_origin(request->url, next))
            out->elsewhere = true;
        free(url);
        url = TAKE(next);
    }
    out->fault = HTTP_FAULT_OTHER;
    return error_set(err, ERROR_UNAVAILABLE, "more than %d redirects", HTTP_REDIRECTS_MAX);
}
