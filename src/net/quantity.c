// SPDX-License-Identifier: Apache-2.0
#include "net/quantity.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

/* A number is digits × 10^tens × 2^twos. */
struct quantity {
    uint64_t digits;
    int tens;
    int twos;
};

enum { EXPONENT_MAX = 60 };

static const struct {
    const char *text;
    int tens;
    int twos;
} SUFFIXES[] = {{"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},
                {"k", 3, 0},   {"M", 6, 0},   {"G", 9, 0},   {"T", 12, 0},
                {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
                {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60}};

/* Reads digits with at most one point; returns what follows, or NULL. */
static const char *read_digits(const char *text, struct quantity *q)
{
    bool behind_point = false, any = false;

    for (; isdigit((unsigned char)*text) || (*text == '.' && !behind_point); text++) {
        if (*text == '.') {
            behind_point = true;
            continue;
        }
        if (q->digits > UINT64_MAX / 10 - 1)
            return NULL;
        q->digits = q->digits * 10 + (uint64_t)(*text - '0');
        q->tens -= behind_point;
        any = true;
    }
    return any ? text : NULL;
}

static bool read_suffix(const char *text, struct quantity *q)
{
    char *end;
    long exponent;

    for (size_t i = 0; i < COUNT_OF(SUFFIXES); i++)
        if (strcmp(text, SUFFIXES[i].text) == 0) {
            q->tens += SUFFIXES[i].tens;
            q->twos += SUFFIXES[i].twos;
            return true;
        }
    if (*text != 'e' && *text != 'E')
        return false;
    exponent = strtol(text + 1, &end, 10);
    if (end == text + 1 || *end || isspace((unsigned char)text[1]) || exponent > EXPONENT_MAX ||
        exponent < -EXPONENT_MAX)
        return false;
    q->tens += (int)exponent;
    return true;
}

/* Multiplies where there is room and divides where there is not, remembering what fell off the
 * end, so that rounding up stays right. False when it is above max. */
static bool evaluate(struct quantity q, uint64_t max, uint64_t *out)
{
    bool inexact = false;

    while (q.digits && (q.twos > 0 || q.tens != 0)) {
        if (q.twos > 0 && q.digits <= UINT64_MAX / 2) {
            q.digits *= 2;
            q.twos--;
        } else if (q.tens > 0 && q.digits <= UINT64_MAX / 10) {
            q.digits *= 10;
            q.tens--;
        } else if (q.tens < 0) {
            inexact |= q.digits % 10 != 0;
            q.digits /= 10;
            q.tens++;
        } else {
            return false;
        }
    }
    *out = q.digits + inexact;
    return *out <= max;
}

int quantity_parse(const char *text, uint64_t max, uint64_t *out, struct error *err)
{
    struct quantity q = {0};
    bool negative = *text == '-';
    const char *suffix = read_digits(text + (negative || *text == '+'), &q);
    uint64_t value;

    if (!suffix || !read_suffix(suffix, &q))
        return error_set(err, ERROR_INVALID, "\"%s\" is no quantity", text);
    if ((negative && q.digits) || !evaluate(q, max, &value))
        return error_set(err, ERROR_RANGE, "\"%s\" is out of range", text);
    *out = value;
    return 0;
}
