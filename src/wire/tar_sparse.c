// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_sparse.h"

#include <errno.h>
#include <stdlib.h>

#include "base/own.h"
#include "wire/tar_header.h"

enum { FIELD = 12, DIGITS_MAX = 18 };

void tar_sparse_fini(struct tar_sparse *s)
{
    free(s->extents);
    *s = (struct tar_sparse){0};
}

void tar_sparse_clear(struct tar_sparse *s)
{
    *s = (struct tar_sparse){.extents = s->extents, .cap = s->cap};
}

int tar_sparse_add(struct tar_sparse *s, uint64_t offset, uint64_t len, struct error *err)
{
    if (s->n == TAR_EXTENTS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "a sparse file has more than %d pieces",
                         TAR_EXTENTS_MAX);
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->extents = xrealloc(s->extents, s->cap * sizeof *s->extents);
    }
    s->extents[s->n++] = (struct tar_extent){offset, len};
    return 0;
}

int tar_sparse_add_fields(struct tar_sparse *s, const uint8_t *fields, size_t count,
                          struct error *err)
{
    for (size_t i = 0; i < count; i++, fields += 2 * FIELD) {
        int64_t offset, len;

        if (fields[0] == '\0')
            return 0;
        if (tar_header_number(fields, FIELD, &offset, err) < 0 ||
            tar_header_number(fields + FIELD, FIELD, &len, err) < 0)
            return -1;
        if (offset < 0 || len < 0)
            return error_set(err, ERROR_INVALID, "a sparse piece is negative");
        if (tar_sparse_add(s, (uint64_t)offset, (uint64_t)len, err) < 0)
            return -1;
    }
    return 0;
}

static int add_number(struct tar_sparse *s, struct error *err)
{
    uint64_t value = s->number;

    s->number = 0;
    s->digits = 0;
    if (s->numbers++ == 0) {
        if (value > TAR_EXTENTS_MAX)
            return error_set(err, ERROR_EXHAUSTED, "a sparse file has more than %d pieces",
                             TAR_EXTENTS_MAX);
        s->numbers_wanted = 1 + 2 * value;
        return 0;
    }
    if (s->numbers % 2 == 1)
        return tar_sparse_add(s, s->pending_offset, value, err);
    s->pending_offset = value;
    return 0;
}

int tar_sparse_add_text(struct tar_sparse *s, const uint8_t block[static TAR_BLOCK_SIZE],
                        struct error *err)
{
    for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
        if (block[i] >= '0' && block[i] <= '9' && s->digits < DIGITS_MAX) {
            s->number = s->number * 10 + (block[i] - '0');
            s->digits++;
            continue;
        }
        if (block[i] != '\n' || s->digits == 0)
            return error_set(err, ERROR_INVALID, "the map of a sparse file is damaged");
        if (add_number(s, err) < 0)
            return -1;
        if (s->numbers == s->numbers_wanted)
            return 1;
    }
    return 0;
}

static int next_number(const char **at, uint64_t *out, struct error *err)
{
    char *end;

    if (**at < '0' || **at > '9')
        return error_set(err, ERROR_INVALID, "the map of a sparse file is damaged");
    errno = 0;
    *out = strtoull(*at, &end, 10);
    if (errno || *out > INT64_MAX || (*end != ',' && *end != '\0'))
        return error_set(err, ERROR_INVALID, "the map of a sparse file is damaged");
    *at = *end ? end + 1 : end;
    return 0;
}

int tar_sparse_add_list(struct tar_sparse *s, const char *text, struct error *err)
{
    while (*text) {
        uint64_t offset = 0, len = 0;

        if (next_number(&text, &offset, err) < 0 || next_number(&text, &len, err) < 0 ||
            tar_sparse_add(s, offset, len, err) < 0)
            return -1;
    }
    return 0;
}

int tar_sparse_check(const struct tar_sparse *s, uint64_t size, uint64_t stored, struct error *err)
{
    uint64_t end = 0, sum = 0;

    for (size_t i = 0; i < s->n; i++) {
        const struct tar_extent *e = &s->extents[i];

        if (e->offset < end || e->len > size || e->offset > size - e->len)
            return error_set(err, ERROR_INVALID, "the pieces of a sparse file overlap or leave it");
        end = e->offset + e->len;
        sum += e->len;
    }
    if (sum != stored)
        return error_set(err, ERROR_INVALID, "the pieces of a sparse file are not what is stored");
    return 0;
}
