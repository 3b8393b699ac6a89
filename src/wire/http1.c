// SPDX-License-Identifier: Apache-2.0
#include "wire/http1.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/own.h"

/* A head is taken apart in place: the bytes behind each word become NULs. Whatever RFC 9112 lets a
 * server refuse is refused: folded lines, bare LFs, blanks before colons. */

static const char END[] = "\r\n\r\n";

void http1_request_init(struct http1_request *r)
{
    *r = (struct http1_request){.head = BUF(HTTP1_HEAD_MAX)};
}

void http1_request_fini(struct http1_request *r)
{
    buf_fini(&r->head);
}

static int refuse(struct http1_request *r, int status, const char *why, struct error *err)
{
    r->refusal = status;
    return error_set(err, ERROR_INVALID, "%s", why);
}

static bool is_token(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    if (!*text)
        return false;
    for (; *text; text++) {
        bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');

        if (!letter && !(*text >= '0' && *text <= '9') && !strchr(others, *text))
            return false;
    }
    return true;
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* What is in front of the next separator, which becomes a NUL; NULL when there is none. */
static char *cut(char **at, const char *separator)
{
    char *word = *at, *end = strstr(word, separator);

    if (!end)
        return NULL;
    *end = '\0';
    *at = end + strlen(separator);
    return word;
}

static int parse_method(struct http1_request *r, const char *method, struct error *err)
{
    static const char *const names[] = {
        [HTTP1_GET] = "GET", [HTTP1_HEAD] = "HEAD", [HTTP1_POST] = "POST"};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(method, names[i]) == 0) {
            r->method = (enum http1_method)i;
            return 0;
        }
    if (!is_token(method))
        return refuse(r, 400, "this is not HTTP", err);
    return refuse(r, 405, "only GET, HEAD and POST are answered here", err);
}

static int parse_target(struct http1_request *r, char *target, struct error *err)
{
    char *query;

    for (const char *at = target; *at; at++)
        if (is_control(*at) || (unsigned char)*at > 0x7e)
            return refuse(r, 400, "the request's path has bytes that it cannot have", err);
    if (strncasecmp(target, "http://", 7) == 0 || strncasecmp(target, "https://", 8) == 0) {
        target = strchr(strchr(target, ':') + 3, '/');
        if (!target)
            return refuse(r, 400, "the request has no path", err);
    }
    if (*target != '/')
        return refuse(r, 400, "the request's path does not begin with a slash", err);
    query = strchr(target, '?');
    if (query)
        *query++ = '\0';
    r->path = target;
    r->query = query ? query : "";
    return 0;
}

static int parse_request_line(struct http1_request *r, char *line, struct error *err)
{
    const char *method = cut(&line, " ");
    char *target = method ? cut(&line, " ") : NULL;

    if (!target || strncmp(line, "HTTP/", 5) != 0)
        return refuse(r, 400, "this is not HTTP", err);
    if (strcmp(line, "HTTP/1.1") != 0 && strcmp(line, "HTTP/1.0") != 0)
        return refuse(r, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here", err);
    r->keep_alive = line[7] == '1';
    return parse_method(r, method, err) < 0 ? -1 : parse_target(r, target, err);
}

static int parse_field(struct http1_request *r, char *line, struct error *err)
{
    const char *name = cut(&line, ":");
    char *end;

    if (!name || !is_token(name))
        return refuse(r, 400, "a header field has no proper name", err);
    if (r->n_fields == HTTP1_FIELDS_MAX)
        return refuse(r, 431, "the request has more than 100 header fields", err);
    line += strspn(line, " \t");
    for (end = line + strlen(line); end > line && (end[-1] == ' ' || end[-1] == '\t');)
        *--end = '\0';
    for (const char *at = line; *at; at++)
        if (is_control(*at) && *at != '\t')
            return refuse(r, 400, "a header field has bytes that it cannot have", err);
    r->fields[r->n_fields++] = (struct http1_field){name, line};
    return 0;
}

/* What the fields say about the request itself. */
static int judge(struct http1_request *r, struct error *err)
{
    const char *value;
    size_t at = 0, hosts = 0;

    while (http1_request_next(r, "Host", &at))
        hosts++;
    if (hosts > 1 || (hosts == 0 && r->keep_alive)) /* so far that means HTTP/1.1 */
        return refuse(r, 400, "the request must have one Host field", err);
    if (http1_request_find(r, "Transfer-Encoding"))
        return refuse(r, 501, "requests with a body are not taken here", err);
    for (at = 0; (value = http1_request_next(r, "Content-Length", &at));) {
        if (!*value || value[strspn(value, "0123456789")])
            return refuse(r, 400, "the Content-Length is no number", err);
        if (value[strspn(value, "0")])
            return refuse(r, 413, "requests with a body are not taken here", err);
    }
    if (r->keep_alive)
        r->keep_alive = !http1_request_lists(r, "Connection", "close");
    else
        r->keep_alive = http1_request_lists(r, "Connection", "keep-alive");
    return 0;
}

/* The head without its last empty line: every line in it ends with CRLF. */
static int parse(struct http1_request *r, struct error *err)
{
    char *at = r->head.data, *line;

    if (strlen(at) != r->head.len)
        return refuse(r, 400, "the request has NUL bytes", err);
    line = cut(&at, "\r\n");
    assert(line);
    if (parse_request_line(r, line, err) < 0)
        return -1;
    while ((line = cut(&at, "\r\n")) && *line)
        if (parse_field(r, line, err) < 0)
            return -1;
    return judge(r, err) < 0 ? -1 : 1;
}

int http1_request_feed(struct http1_request *r, struct input *in, struct error *err)
{
    size_t had = r->head.len, room = HTTP1_HEAD_MAX - had, n = in->len < room ? in->len : room;
    size_t from = had > 3 ? had - 3 : 0;
    const char *end;

    if (n == 0)
        return 0;
    if (buf_append(&r->head, in->data, n, err) < 0)
        return -1;
    end = memmem(r->head.data + from, r->head.len - from, END, 4);
    if (end) {
        size_t whole = (size_t)(end + 4 - r->head.data);

        n = whole - had;
        r->head.len = whole;
        r->head.data[whole] = '\0';
    }
    in->data += n;
    in->len -= n;
    if (end)
        return parse(r, err);
    /* A client that speaks TLS to us should not have to wait for its end. */
    if (r->head.data[0] < 'A' || r->head.data[0] > 'Z')
        return refuse(r, 400, "this is not HTTP", err);
    if (r->head.len == HTTP1_HEAD_MAX)
        return refuse(r, 431, "the request's head is longer than 16 KiB", err);
    return 0;
}

const char *http1_request_next(const struct http1_request *r, const char *name, size_t *at)
{
    while (*at < r->n_fields) {
        const struct http1_field *field = &r->fields[(*at)++];

        if (strcasecmp(field->name, name) == 0)
            return field->value;
    }
    return NULL;
}

const char *http1_request_find(const struct http1_request *r, const char *name)
{
    size_t at = 0;

    return http1_request_next(r, name, &at);
}

size_t http1_list_next(const char **at)
{
    size_t len;

    *at += strspn(*at, " \t,");
    for (len = strcspn(*at, ","); len && ((*at)[len - 1] == ' ' || (*at)[len - 1] == '\t');)
        len--;
    return len;
}

bool http1_request_lists(const struct http1_request *r, const char *name, const char *token)
{
    const char *value;
    size_t at = 0, len;

    while ((value = http1_request_next(r, name, &at)))
        for (; (len = http1_list_next(&value)); value += len)
            if (len == strlen(token) && strncasecmp(value, token, len) == 0)
                return true;
    return false;
}
