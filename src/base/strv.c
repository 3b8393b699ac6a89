// SPDX-License-Identifier: Apache-2.0
#include "base/strv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

static void add_taken(struct strv *v, char *text)
{
    v->items = xrealloc(v->items, (v->len + 2) * sizeof *v->items);
    v->items[v->len++] = text;
    v->items[v->len] = NULL;
}

void strv_fini(struct strv *v)
{
    for (size_t i = 0; i < v->len; i++)
        free(v->items[i]);
    free(v->items);
    *v = (struct strv){0};
}

void strv_add(struct strv *v, const char *text)
{
    add_taken(v, xstrdup(text));
}

void strv_addf(struct strv *v, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_taken(v, xvasprintf(fmt, args));
    va_end(args);
}

void strv_add_all(struct strv *v, const struct strv *from)
{
    for (size_t i = 0; i < from->len; i++)
        strv_add(v, from->items[i]);
}

bool strv_contains(const struct strv *v, const char *text)
{
    for (size_t i = 0; i < v->len; i++)
        if (strcmp(v->items[i], text) == 0)
            return true;
    return false;
}

void strv_add_split(struct strv *v, const char *text, char separator)
{
    while (*text) {
        const char *end = strchrnul(text, separator);

        if (end > text)
            add_taken(v, xstrndup(text, (size_t)(end - text)));
        text = *end ? end + 1 : end;
    }
}

char *strv_join(const struct strv *v, const char *separator)
{
    size_t len = 1, gap = strlen(separator);
    char *text, *at;

    for (size_t i = 0; i < v->len; i++)
        len += strlen(v->items[i]) + gap;
    at = text = xmalloc(len);
    for (size_t i = 0; i < v->len; i++) {
        if (i > 0)
            at = stpcpy(at, separator);
        at = stpcpy(at, v->items[i]);
    }
    *at = '\0';
    return text;
}
