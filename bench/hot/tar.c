// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "hot.h"
#include "wire/tar.h"

enum {
    ENTRIES = 1000,
    NAME = 100,
    MODE_AT = 100,
    SIZE_AT = 124,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257
};

struct archive {
    char *bytes;
    size_t len;
    int entries;
};

/* A file of one block. */
static void write_entry(char *at, int i)
{
    unsigned sum = 0;

    snprintf(at, NAME, "usr/share/some/folder/with/a/name/file-%d", i);
    memcpy(at + MODE_AT, "0000644\0000000000\0000000000", 24);
    memcpy(at + SIZE_AT, "00000001000\00000000000000", 24);
    memset(at + SUM_AT, ' ', 8);
    at[TYPE_AT] = '0';
    memcpy(at + MAGIC_AT, "ustar\00000", 8);
    for (int b = 0; b < TAR_BLOCK_SIZE; b++)
        sum += (unsigned char)at[b];
    snprintf(at + SUM_AT, 8, "%06o", sum);
}

static void read_all(void *data)
{
    struct archive *a = data;
    struct tar_input in = {a->bytes, a->len};
    AUTO(tar) *t = tar_new();
    struct error err;
    int event;

    while ((event = tar_next(t, &in, &err)) != TAR_MORE) {
        assert(event >= 0);
        a->entries += event == TAR_ENTRY;
    }
    assert(tar_finish(t, &err) == 0);
}

void hot_tar(void)
{
    struct archive a = {.len = (size_t)(2 * ENTRIES + 2) * TAR_BLOCK_SIZE};

    a.bytes = xcalloc(1, a.len);
    for (int i = 0; i < ENTRIES; i++)
        write_entry(a.bytes + (size_t)2 * i * TAR_BLOCK_SIZE, i);
    read_all(&a);
    hot_measure(read_all, &a);
    assert(a.entries == 2 * ENTRIES);
    free(a.bytes);
}
