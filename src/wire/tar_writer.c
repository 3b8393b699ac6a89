// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_writer.h"

#include <stdio.h>
#include <string.h>

/* Where fields are: offset and length, with a NUL at the end of numbers. */
#define NAME     0, 100
#define MODE     100, 8
#define UID      108, 8
#define GID      116, 8
#define SIZE     124, 12
#define MODIFIED 136, 12
#define LINK     157, 100
#define MAJOR    329, 8
#define MINOR    337, 8

enum { CHECKSUM_AT = 148, CHECKSUM_LEN = 8, TYPE_AT = 156, MAGIC_AT = 257, TEXT_MAX = 100 };
enum { ID_MAX = 07777777 };
#define SIZE_MAX_OCTAL UINT64_C(077777777777)

static void put_text(char *block, size_t at, size_t len, const char *text)
{
    memcpy(block + at, text, strnlen(text, len));
}

/* What does not fit stays zero: then a pax record says it. */
static void put_number(char *block, size_t at, size_t len, uint64_t value)
{
    char text[24];
    int digits = snprintf(text, sizeof text, "%0*llo", (int)len - 1, (unsigned long long)value);

    if (digits < (int)len)
        memcpy(block + at, text, len);
    else
        memset(block + at, '0', len - 1);
}

static void seal(char block[static TAR_BLOCK_SIZE])
{
    unsigned sum = 0;

    memset(block + CHECKSUM_AT, ' ', CHECKSUM_LEN);
    for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
        sum += (unsigned char)block[i];
    put_number(block, CHECKSUM_AT, CHECKSUM_LEN - 1, sum);
}

static char type_of(enum tar_type type)
{
    static const char types[] = {
        [TAR_FILE] = '0',        [TAR_HARD_LINK] = '1',    [TAR_SYMLINK] = '2',
        [TAR_CHAR_DEVICE] = '3', [TAR_BLOCK_DEVICE] = '4', [TAR_DIR] = '5',
        [TAR_FIFO] = '6'};

    return types[type];
}

static int append_block(const struct tar_entry *e, char type, struct buf *out, struct error *err)
{
    char block[TAR_BLOCK_SIZE] = {0};

    put_text(block, NAME, e->path);
    put_number(block, MODE, e->mode);
    put_number(block, UID, e->uid);
    put_number(block, GID, e->gid);
    put_number(block, SIZE, e->size);
    put_number(block, MODIFIED, e->modified.tv_sec > 0 ? (uint64_t)e->modified.tv_sec : 0);
    put_text(block, LINK, e->link ? e->link : "");
    block[TYPE_AT] = type;
    memcpy(block + MAGIC_AT, "ustar\00000", 8);
    put_number(block, MAJOR, e->major);
    put_number(block, MINOR, e->minor);
    seal(block);
    return buf_append(out, block, sizeof block, err);
}

/* "<length of all> <key>=<value>\n" */
static int add_record(struct buf *out, const char *key, const void *value, size_t value_len,
                      struct error *err)
{
    size_t len = strlen(key) + value_len + 3, digits = 1;

    for (size_t power = 10; len + digits >= power; power *= 10)
        digits++;
    if (buf_printf(out, err, "%zu %s=", len + digits, key) < 0 ||
        buf_append(out, value, value_len, err) < 0)
        return -1;
    return buf_append(out, "\n", 1, err);
}

static int add_text(struct buf *out, const char *key, const char *text, struct error *err)
{
    return add_record(out, key, text, strlen(text), err);
}

static int add_number(struct buf *out, const char *key, uint64_t value, struct error *err)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return add_text(out, key, text, err);
}

static int add_time(struct buf *out, const struct timespec *t, struct error *err)
{
    char text[48];

    if (t->tv_sec < 0 || t->tv_nsec == 0)
        return 0;
    snprintf(text, sizeof text, "%lld.%09ld", (long long)t->tv_sec, t->tv_nsec);
    return add_text(out, "mtime", text, err);
}

static int add_xattr(struct buf *out, const struct tar_xattr *x, struct error *err)
{
    char key[sizeof "SCHILY.xattr." + TAR_XATTR_NAME_MAX];

    if (strlen(x->name) > TAR_XATTR_NAME_MAX || strchr(x->name, '='))
        return error_set(err, ERROR_INVALID, "an attribute's name cannot be written: %.255s",
                         x->name);
    snprintf(key, sizeof key, "SCHILY.xattr.%s", x->name);
    return add_record(out, key, x->value, x->len, err);
}

static int make_records(const struct tar_entry *e, struct buf *out, struct error *err)
{
    if ((strlen(e->path) > TEXT_MAX && add_text(out, "path", e->path, err) < 0) ||
        (e->link && strlen(e->link) > TEXT_MAX && add_text(out, "linkpath", e->link, err) < 0) ||
        (e->size > SIZE_MAX_OCTAL && add_number(out, "size", e->size, err) < 0) ||
        (e->uid > ID_MAX && add_number(out, "uid", e->uid, err) < 0) ||
        (e->gid > ID_MAX && add_number(out, "gid", e->gid, err) < 0) ||
        add_time(out, &e->modified, err) < 0)
        return -1;
    for (size_t i = 0; i < e->n_xattrs; i++)
        if (add_xattr(out, &e->xattrs[i], err) < 0)
            return -1;
    return 0;
}

int tar_writer_head(const struct tar_entry *e, struct buf *out, struct error *err)
{
    static const char zero[TAR_BLOCK_SIZE];
    AUTO_FINI(buf) records = BUF(TAR_EXTENSION_MAX);

    if (make_records(e, &records, err) < 0)
        return error_wrap(err, "%s", e->path);
    if (records.len > 0) {
        const struct tar_entry pax = {.path = "pax", .mode = 0644, .size = records.len};

        if (append_block(&pax, 'x', out, err) < 0 ||
            buf_append(out, records.data, records.len, err) < 0 ||
            buf_append(out, zero, TAR_PADDING(records.len), err) < 0)
            return -1;
    }
    return append_block(e, type_of(e->type), out, err);
}
