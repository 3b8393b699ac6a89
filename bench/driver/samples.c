// SPDX-License-Identifier: Apache-2.0
#include "samples.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"

void samples_fini(struct samples *s)
{
    free(s->values);
    s->values = NULL;
    s->len = s->cap = 0;
}

void samples_add(struct samples *s, double value)
{
    if (s->len == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 64;
        s->values = xrealloc(s->values, s->cap * sizeof *s->values);
    }
    s->values[s->len++] = value;
}

void samples_add_since(struct samples *s, int64_t begun_ns)
{
    samples_add(s, (double)(clock_monotonic_ns() - begun_ns) / (double)CLOCK_NS_PER_MS);
}

void samples_add_all(struct samples *s, const struct samples *from)
{
    for (size_t i = 0; i < from->len; i++)
        samples_add(s, from->values[i]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Between the two nearest when there is none in that place. */
static double quantile(const double *sorted, size_t len, double q)
{
    double at = q * (double)(len - 1);
    size_t low = (size_t)at, high = low + 1 < len ? low + 1 : low;

    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

void samples_print(const struct samples *s)
{
    AUTO_FREE double *sorted = NULL;

    if (s->len == 0)
        return;
    sorted = xmemdup(s->values, s->len * sizeof *sorted);
    qsort(sorted, s->len, sizeof *sorted, compare);
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"median\": %.6g, \"p99\": %.6g, \"samples\": [",
           s->name, s->unit, quantile(sorted, s->len, 0.5), quantile(sorted, s->len, 0.99));
    for (size_t i = 0; i < s->len; i++)
        printf("%s%.6g", i ? ", " : "", s->values[i]);
    printf("]}\n");
    fflush(stdout);
}

void samples_print_one(const char *name, const char *unit, double value)
{
    struct samples one = {.name = name, .unit = unit, .values = &value, .len = 1};

    samples_print(&one);
}
