// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

enum { FIRST_CAPACITY = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

char *buf_reserve(struct buf *b, size_t len, struct error *err)
{
    size_t cap = b->cap ? b->cap : FIRST_CAPACITY;

    if (len > b->max || b->len > b->max - len) {
        error_set(err, ERROR_EXHAUSTED, "more than %zu bytes", b->max);
        return NULL;
    }
    while (cap < b->len + len + 1)
        cap *= 2;
    if (cap > b->cap) {
        b->data = xrealloc(b->data, cap);
        b->cap = cap;
    }
    b->data[b->len] = '\0';
    return b->data + b->len;
}

void buf_added(struct buf *b, size_t len)
{
    assert(b->len + len < b->cap);
    b->len += len;
    b->data[b->len] = '\0';
}

int buf_append(struct buf *b, const void *data, size_t len, struct error *err)
{
    char *at = buf_reserve(b, len, err);

    if (!at)
        return -1;
    if (len)
        memcpy(at, data, len);
    buf_added(b, len);
    return 0;
}

int buf_printf(struct buf *b, struct error *err, const char *fmt, ...)
{
    va_list args;
    char *at;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        return error_set(err, ERROR_INTERNAL, "format text");
    at = buf_reserve(b, (size_t)len, err);
    if (!at)
        return -1;
    va_start(args, fmt);
    vsnprintf(at, (size_t)len + 1, fmt, args);
    va_end(args);
    buf_added(b, (size_t)len);
    return 0;
}

void buf_consume(struct buf *b, size_t len)
{
    assert(len <= b->len);
    b->len -= len;
    if (b->data) {
        memmove(b->data, b->data + len, b->len);
        b->data[b->len] = '\0';
    }
}

char *buf_take(struct buf *b)
{
    char *data = b->data ? b->data : xstrdup("");

    *b = (struct buf){.max = b->max};
    return data;
}
