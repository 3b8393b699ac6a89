// SPDX-License-Identifier: Apache-2.0
#include "shim/log_framer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "shim/log_stamp.h"

/* A line may come in two pieces: what is held of it, and new bytes. Cutting always takes from the
 * front of both, so the cut is described by how much of the line it takes.
 *
 * What was held and has got into the batch stays in memory until the next push, which begins by
 * letting go of it. A push either makes records or holds bytes, never both, so that nothing moves
 * under the iovecs. */
enum { IOV_PER_RECORD = 4, HELD_CAP_FIRST = 256 };

void log_framer_init(struct log_framer *f, int64_t line_max)
{
    *f = (struct log_framer){.line_max = LOG_FRAMER_LINE_MAX};
    if (line_max > 0 && line_max < LOG_FRAMER_LINE_MAX)
        f->line_max = (size_t)line_max;
}

static void let_go(struct log_framer *f)
{
    if (f->held_len > 0)
        return;
    free(f->held);
    f->held = NULL;
    f->held_at = f->held_cap = 0;
}

void log_framer_fini(struct log_framer *f)
{
    f->held_len = 0;
    let_go(f);
}

void log_framer_begin(struct log_batch *b, const char *stream, int64_t now_ns)
{
    char stamp[LOG_STAMP_SIZE];

    b->n = 0;
    log_stamp_format(stamp, now_ns);
    b->head_len = (size_t)snprintf(b->full, sizeof b->full, "%s %s F ", stamp, stream);
    memcpy(b->partial, b->full, sizeof b->full);
    b->partial[b->head_len - 2] = 'P';
}

static void add(struct log_batch *b, const char *data, size_t len)
{
    if (len > 0)
        b->iov[b->n++] = (struct iovec){(void *)data, len};
}

/* Adds one record with content bytes of the line that is held and goes on at data. Returns how
 * many of them came from data. */
static size_t add_record(struct log_framer *f, struct log_batch *b, const char *head,
                         const char *data, size_t content)
{
    size_t old = f->held_len < content ? f->held_len : content;

    add(b, head, b->head_len);
    if (old > 0)
        add(b, f->held + f->held_at, old);
    add(b, data, content - old);
    f->held_at += old;
    f->held_len -= old;
    return content - old;
}

static char byte_at(const struct log_framer *f, const char *data, size_t i)
{
    return i < f->held_len ? f->held[f->held_at + i] : data[i - f->held_len];
}

static bool has_room(const struct log_batch *b)
{
    return b->n + IOV_PER_RECORD <= LOG_FRAMER_IOV_MAX;
}

/* The line's content is what is held and len bytes at data, and its newline is behind them.
 * Returns how many bytes of data were used up, with the newline when the line is done. */
static size_t push_line(struct log_framer *f, struct log_batch *b, const char *data, size_t len)
{
    size_t total = f->held_len + len, used = 0;
    bool returns = total > 0 && byte_at(f, data, total - 1) == '\r';

    for (total -= returns; total > f->line_max; total -= f->line_max) {
        if (!has_room(b))
            return used;
        used += add_record(f, b, b->partial, data + used, f->line_max);
        add(b, "\n", 1);
    }
    if (!has_room(b))
        return used;
    used += add_record(f, b, b->full, data + used, total);
    /* The newline lies behind the content already, unless a \r is between or all was held. */
    if (used == len && len > 0)
        b->iov[b->n - 1].iov_len++;
    else
        add(b, "\n", 1);
    f->held_len = 0; /* a \r that was held */
    return len + 1;
}

/* Without a newline in sight: cuts off what is certainly too long. A \r behind exactly line_max
 * bytes may yet turn out to belong to the newline. */
static size_t push_long(struct log_framer *f, struct log_batch *b, const char *data, size_t len)
{
    size_t total = f->held_len + len, used = 0;
    bool returns = total > 0 && byte_at(f, data, total - 1) == '\r';

    for (total -= returns; total > f->line_max && has_room(b); total -= f->line_max) {
        used += add_record(f, b, b->partial, data + used, f->line_max);
        add(b, "\n", 1);
    }
    return used;
}

static void hold(struct log_framer *f, const char *data, size_t len)
{
    size_t need = f->held_len + len;

    if (f->held_at > 0)
        memmove(f->held, f->held + f->held_at, f->held_len);
    f->held_at = 0;
    if (need > f->held_cap) {
        f->held_cap = f->held_cap ? f->held_cap : HELD_CAP_FIRST;
        while (f->held_cap < need)
            f->held_cap *= 2;
        f->held = xrealloc(f->held, f->held_cap);
    }
    if (len == 0)
        return;
    memcpy(f->held + f->held_len, data, len);
    f->held_len = need;
}

size_t log_framer_push(struct log_framer *f, struct log_batch *b, const char *data, size_t len)
{
    const char *newline;
    size_t used = 0;

    b->n = 0;
    let_go(f);
    while ((newline = memchr(data + used, '\n', len - used)) && has_room(b))
        used += push_line(f, b, data + used, (size_t)(newline - data) - used);
    if (!newline)
        used += push_long(f, b, data + used, len - used);
    if (b->n > 0)
        return used;
    hold(f, data, len);
    return len;
}

void log_framer_flush(struct log_framer *f, struct log_batch *b)
{
    b->n = 0;
    while (f->held_len > 0) {
        size_t content = f->held_len < f->line_max ? f->held_len : f->line_max;

        add_record(f, b, b->partial, NULL, content);
        add(b, "\n", 1);
    }
}
