// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* strv: a vector of strings with a NULL behind the last, as execve() wants it.
 *
 * It owns its strings. Memory of the caller; one thread at a time. */
struct strv {
    char **items; /* NULL while empty */
    size_t len;
};

void strv_fini(struct strv *v);
void strv_add(struct strv *v, const char *text);
void strv_addf(struct strv *v, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strv_add_all(struct strv *v, const struct strv *from);
bool strv_contains(const struct strv *v, const char *text);

/* Splits text at separator; empty parts are left out. */
void strv_add_split(struct strv *v, const char *text, char separator);

/* Joined with separator; the caller frees. */
MUST_CHECK char *strv_join(const struct strv *v, const char *separator);
