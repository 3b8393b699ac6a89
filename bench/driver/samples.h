// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/* samples: a series of measured numbers. Memory of the caller; one thread at a time. */
struct samples {
    const char *name; /* of a literal */
    const char *unit;
    double *values;
    size_t len;
    size_t cap;
};

void samples_fini(struct samples *s);
void samples_add(struct samples *s, double value);
void samples_add_since(struct samples *s, int64_t begun_ns); /* in ms */
void samples_add_all(struct samples *s, const struct samples *from);

/* {"name": …, "unit": …, "median": …, "p99": …, "samples": […]}, in the order they came. */
void samples_print(const struct samples *s);

/* A series of one. */
void samples_print_one(const char *name, const char *unit, double value);
