// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdio.h>

/* table: rows of text in columns as wide as their widest cell. Memory of the caller; cells are
 * borrowed until table_print(). */
enum { TABLE_COLUMNS_MAX = 8 };

struct table {
    size_t columns;
    size_t rows;
    const char **cells; /* the head first */
};

/* The head; ends with NULL. */
void table_init(struct table *t, const char *const *head);
void table_fini(struct table *t);

/* One cell for each column; NULL is empty. */
void table_add(struct table *t, const char *const *cells);

void table_print(const struct table *t, FILE *out);
