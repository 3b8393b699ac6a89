// SPDX-License-Identifier: Apache-2.0
#include "image/redact.h"

#include <string.h>
#include <strings.h>

#include "base/own.h"

/* Where a URL ends in a sentence. */
#define URL_END " \t\r\n\"'<>`\\"

#define REDACTED "REDACTED"

struct out {
    char *text;
    size_t len;
};

static void put(struct out *o, const char *text, size_t len)
{
    memcpy(o->text + o->len, text, len);
    o->len += len;
}

/* name=value pairs: the names stay. */
static void put_query(struct out *o, const char *query, size_t len)
{
    const char *end = query + len;

    while (query < end) {
        size_t pair = 0, name;

        while (query + pair < end && !strchr("&;", query[pair]))
            pair++;
        name = 0;
        while (name < pair && query[name] != '=')
            name++;
        if (name < pair) {
            put(o, query, name + 1);
            if (name + 1 < pair)
                put(o, REDACTED, strlen(REDACTED));
        } else {
            put(o, query, pair);
        }
        query += pair;
        if (query < end)
            put(o, query++, 1);
    }
}

static void put_url(struct out *o, const char *url, size_t len)
{
    size_t authority = (size_t)(strstr(url, "://") - url) + 3;
    size_t path = authority, at = authority, query;

    while (path < len && !strchr("/?#", url[path]))
        path++;
    for (size_t i = authority; i < path; i++)
        if (url[i] == '@')
            at = i + 1;
    query = path;
    while (query < len && url[query] != '?')
        query++;
    put(o, url, authority);
    put(o, url + at, query - at);
    if (query < len) {
        put(o, "?", 1);
        put_query(o, url + query + 1, len - query - 1);
    }
}

static const char *find_url(const char *text)
{
    for (; *text; text++)
        if (strncasecmp(text, "http://", 7) == 0 || strncasecmp(text, "https://", 8) == 0)
            return text;
    return NULL;
}

char *redact_urls(const char *text)
{
    /* A value of one byte becomes eight, and each needs a name's end before it. */
    struct out o = {.text = xmalloc(strlen(text) * strlen(REDACTED) + 1)};
    const char *url;

    while ((url = find_url(text))) {
        size_t len = strcspn(url, URL_END);

        put(&o, text, (size_t)(url - text));
        put_url(&o, url, len);
        text = url + len;
    }
    put(&o, text, strlen(text));
    o.text[o.len] = '\0';
    return o.text;
}
