// SPDX-License-Identifier: Apache-2.0
#include "ctl/table.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/own.h"

void table_init(struct table *t, const char *const *head)
{
    *t = (struct table){0};
    while (head[t->columns])
        t->columns++;
    assert(t->columns <= TABLE_COLUMNS_MAX);
    table_add(t, head);
}

void table_fini(struct table *t)
{
    free(t->cells);
    *t = (struct table){0};
}

void table_add(struct table *t, const char *const *cells)
{
    t->cells = xrealloc(t->cells, (t->rows + 1) * t->columns * sizeof *t->cells);
    for (size_t i = 0; i < t->columns; i++)
        t->cells[t->rows * t->columns + i] = cells[i] ? cells[i] : "";
    t->rows++;
}

/* Characters, not bytes, as far as UTF-8 goes. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

void table_print(const struct table *t, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};

    for (size_t i = 0; i < t->rows * t->columns; i++) {
        size_t width = width_of(t->cells[i]), *widest = &widths[i % t->columns];

        *widest = width > *widest ? width : *widest;
    }
    for (size_t i = 0; i < t->rows * t->columns; i++) {
        bool last = i % t->columns == t->columns - 1;
        size_t pad = last ? 0 : widths[i % t->columns] - width_of(t->cells[i]) + 2;

        fprintf(out, "%s%*s%s", t->cells[i], (int)pad, "", last ? "\n" : "");
    }
}
