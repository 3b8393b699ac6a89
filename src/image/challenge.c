// SPDX-License-Identifier: Apache-2.0
#include "image/challenge.h"

#include <string.h>
#include <strings.h>

#include "base/own.h"

/* RFC 9110, 11.6.1: challenges are separated by commas, and so are the parameters of one, so a
 * token is a parameter's name when '=' and a value follow and a scheme otherwise:
 *
 *     Basic realm="a", Bearer realm="b",scope="c d" */

#define TOKEN "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SPACE " \t"

static void fini(struct challenge *c)
{
    free(c->realm);
    free(c->service);
    free(c->scope);
    free(c->error);
    memset(c, 0, sizeof *c);
}

void challenge_list_fini(struct challenge_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        fini(&list->items[i]);
    list->len = 0;
}

static const char *skip(const char *at, const char *set)
{
    return at + strspn(at, set);
}

/* The contents of a quoted string that begins at **at; NULL when it does not end. */
static char *parse_quoted(const char **at)
{
    const char *c = *at + 1;
    char *out = xmalloc(strlen(c) + 1);
    size_t len = 0;

    for (; *c && *c != '"'; c++) {
        if (*c == '\\' && c[1])
            c++;
        out[len++] = *c;
    }
    out[len] = '\0';
    if (*c) {
        *at = c + 1;
        return out;
    }
    free(out);
    return NULL;
}

static char **member(struct challenge *c, const char *name, size_t len)
{
    static const char *const names[] = {"realm", "service", "scope", "error"};
    char **members[] = {&c->realm, &c->service, &c->scope, &c->error};

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strlen(names[i]) == len && strncasecmp(names[i], name, len) == 0)
            return members[i];
    return NULL;
}

/* One name=value at **at; 1 when there was one, 0 when there is something else, -1 on a fault. */
static int parse_parameter(const char **at, struct challenge *c, struct error *err)
{
    size_t name_len = strspn(*at, TOKEN);
    const char *value = skip(*at + name_len, SPACE);
    AUTO_FREE char *text = NULL;
    char **to;

    if (name_len == 0 || *value != '=')
        return 0;
    value = skip(value + 1, SPACE);
    if (*value == '"') {
        text = parse_quoted(&value);
        if (!text)
            return error_set(err, ERROR_INVALID, "challenge with a quote that does not end");
    } else {
        /* Values left unquoted have slashes and colons in the wild. */
        size_t len = strcspn(value, ", \t\"");

        text = xstrndup(value, len);
        value += len;
    }
    to = member(c, *at, name_len);
    if (to && !*to)
        *to = TAKE(text);
    *at = value;
    return 1;
}

static enum challenge_scheme scheme_of(const char *name, size_t len)
{
    if (len == 5 && strncasecmp(name, "basic", len) == 0)
        return CHALLENGE_BASIC;
    if (len == 6 && strncasecmp(name, "bearer", len) == 0)
        return CHALLENGE_BEARER;
    return CHALLENGE_OTHER;
}

static int parse_one(const char **at, struct challenge *c, struct error *err)
{
    size_t len = strspn(*at, TOKEN);
    int found;

    if (len == 0)
        return error_set(err, ERROR_INVALID, "challenge \"%.80s\" has no scheme", *at);
    c->scheme = scheme_of(*at, len);
    *at = skip(*at + len, SPACE);
    found = parse_parameter(at, c, err);
    /* What is no parameter here is a token68, of a scheme not ours. */
    if (found == 0 && c->scheme == CHALLENGE_OTHER)
        *at += strcspn(*at, SPACE ",");
    while (found == 1) {
        *at = skip(*at, SPACE ",");
        found = parse_parameter(at, c, err);
    }
    return found;
}

int challenge_list_add(struct challenge_list *list, const char *value, struct error *err)
{
    if (strlen(value) > CHALLENGE_HEADER_MAX)
        return error_set(err, ERROR_EXHAUSTED, "challenge of %zu bytes", strlen(value));
    for (const char *at = skip(value, SPACE ","); *at; at = skip(at, SPACE ",")) {
        struct challenge one = {0};

        if (list->len == CHALLENGE_LIST_MAX)
            return error_set(err, ERROR_EXHAUSTED, "more than %d challenges", CHALLENGE_LIST_MAX);
        if (parse_one(&at, &one, err) < 0) {
            fini(&one);
            return -1;
        }
        list->items[list->len++] = one;
    }
    return 0;
}

const struct challenge *challenge_list_best(const struct challenge_list *list)
{
    const struct challenge *basic = NULL;

    for (size_t i = 0; i < list->len; i++) {
        const struct challenge *c = &list->items[i];

        if (c->scheme == CHALLENGE_BEARER && c->realm && *c->realm)
            return c;
        if (c->scheme == CHALLENGE_BASIC && !basic)
            basic = c;
    }
    return basic;
}
