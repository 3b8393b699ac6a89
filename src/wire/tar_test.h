// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "wire/tar.h"

/* tar_test: for the tests of the tar reader: makes archives by hand, and tells as text what the
 * reader makes of them: "[type path->link mode uid:gid size @time attribute=value]offset:data;". */
enum { ARCHIVE_MAX = 16 * 1024 * 1024, STORY_MAX = 64 * 1024 };

/* --- archives made by hand --- */

struct header {
    const char *name;
    const char *link;
    const char *magic; /* NULL: ustar */
    const char *prefix;
    const char *size; /* octal, or bytes of base 256; NULL: from data_len */
    const char *uid;
    const char *mtime;
    size_t data_len;
    char type;
};

static inline void put(char *block, size_t at, const char *text)
{
    memcpy(block + at, text, strlen(text));
}

static inline void seal(char block[static TAR_BLOCK_SIZE])
{
    unsigned sum = 0;
    char text[8];

    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
        sum += (unsigned char)block[i];
    snprintf(text, sizeof text, "%06o", sum & 0777777);
    memcpy(block + 148, text, 7);
}

static inline void make_header(char block[static TAR_BLOCK_SIZE], const struct header *h)
{
    const char *magic = h->magic ? h->magic : "ustar";
    char size[16];

    memset(block, 0, TAR_BLOCK_SIZE);
    snprintf(size, sizeof size, "%011zo", h->data_len);
    put(block, 0, h->name ? h->name : "f");
    put(block, 100, "0000644");
    put(block, 108, h->uid ? h->uid : "0000001");
    put(block, 116, "0000002");
    memcpy(block + 124, h->size ? h->size : size, 12);
    put(block, 136, h->mtime ? h->mtime : "00000000012");
    block[156] = h->type ? h->type : '0';
    put(block, 157, h->link ? h->link : "");
    put(block, 257, magic);
    if (*magic && strcmp(magic, "ustar") == 0)
        put(block, 263, "00");
    put(block, 345, h->prefix ? h->prefix : "");
    seal(block);
}

static inline void add(struct buf *out, const void *data, size_t len)
{
    static const char zero[TAR_BLOCK_SIZE];
    struct error err;

    assert_int_equal(buf_append(out, data, len, &err), 0);
    assert_int_equal(buf_append(out, zero, -len % TAR_BLOCK_SIZE, &err), 0);
}

static inline void add_header(struct buf *out, const struct header *h)
{
    char block[TAR_BLOCK_SIZE];

    make_header(block, h);
    add(out, block, sizeof block);
}

static inline void add_extension(struct buf *out, char type, const char *text, size_t len)
{
    add_header(out, &(struct header){.name = "extension", .type = type, .data_len = len});
    add(out, text, len);
}

/* One pax record, its length counted in. */
static inline void add_record(struct buf *out, const char *key, const char *value, size_t value_len)
{
    size_t len = strlen(key) + value_len + 3, digits = 1;
    struct error err;

    for (size_t power = 10; len + digits >= power; power *= 10)
        digits++;
    assert_int_equal(buf_printf(out, &err, "%zu %s=", len + digits, key), 0);
    assert_int_equal(buf_append(out, value, value_len, &err), 0);
    assert_int_equal(buf_append(out, "\n", 1, &err), 0);
}

static inline void add_pax(struct buf *out, const char *key, const char *value)
{
    AUTO_FINI(buf) text = BUF(ARCHIVE_MAX);

    add_record(&text, key, value, strlen(value));
    add_extension(out, 'x', text.data, text.len);
}

static inline void add_end(struct buf *out)
{
    static const char zero[2 * TAR_BLOCK_SIZE];

    add(out, zero, sizeof zero);
}

/* --- what the reader makes of them --- */

static inline void tell_entry(struct buf *story, const struct tar_entry *e)
{
    struct error err;
    int result = buf_printf(story, &err, "[%d %s%s%s %o %u:%u %llu", (int)e->type, e->path,
                            *e->link ? "->" : "", e->link, e->mode, e->uid, e->gid,
                            (unsigned long long)e->size);

    assert_int_equal(result, 0);
    if (e->modified.tv_sec != 10 || e->modified.tv_nsec)
        result |= buf_printf(story, &err, " @%lld.%09ld", (long long)e->modified.tv_sec,
                             e->modified.tv_nsec);
    for (size_t i = 0; i < e->n_xattrs; i++)
        result |= buf_printf(story, &err, " %s=%.*s", e->xattrs[i].name, (int)e->xattrs[i].len,
                             e->xattrs[i].value);
    result |= buf_printf(story, &err, "]");
    assert_int_equal(result, 0);
}

/* Chunks that follow each other are told as one, so that the story does not depend on the steps. */
static inline void tell_chunk(struct buf *story, const struct tar_chunk *c, uint64_t *end)
{
    struct error err;
    int result = 0;

    if (*end != c->offset)
        result |= buf_printf(story, &err, "%llu:", (unsigned long long)c->offset);
    result |= buf_append(story, c->data, c->len, &err);
    *end = c->offset + c->len;
    assert_int_equal(result, 0);
}

static inline int read_all(const struct buf *archive, size_t step, struct buf *story,
                           struct error *err)
{
    AUTO(tar) *t = tar_new();
    uint64_t end = 0;

    for (size_t at = 0; at < archive->len; at += step) {
        size_t len = archive->len - at < step ? archive->len - at : step;
        struct tar_input in = {archive->data + at, len};
        int event;

        while ((event = tar_next(t, &in, err)) != TAR_MORE) {
            if (event < 0)
                return -1;
            if (event == TAR_ENTRY) {
                tell_entry(story, tar_entry(t));
                end = UINT64_MAX;
            }
            if (event == TAR_DATA)
                tell_chunk(story, tar_chunk(t), &end);
            if (event == TAR_ENTRY_END && buf_append(story, ";", 1, err) < 0)
                return -1;
        }
        assert_int_equal(in.len, 0);
    }
    return tar_finish(t, err);
}

/* Whatever the steps it comes in. */
static inline void assert_story(const struct buf *archive, const char *expected)
{
    static const size_t steps[] = {1, 7, 511, 512, 513, 1024, ARCHIVE_MAX};

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        AUTO_FINI(buf) story = BUF(STORY_MAX);
        struct error err = {0};

        if (read_all(archive, steps[i], &story, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(buf_append(&story, "", 0, &err), 0);
        assert_string_equal(story.data ? story.data : "", expected);
    }
}

static inline void assert_refused(const struct buf *archive, enum error_code code,
                                  const char *words)
{
    static const size_t steps[] = {1, 512, ARCHIVE_MAX};

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        AUTO_FINI(buf) story = BUF(ARCHIVE_MAX);
        struct error err = {0};

        assert_int_equal(read_all(archive, steps[i], &story, &err), -1);
        if (!strstr(err.text, words))
            fail_msg("\"%s\" does not say \"%s\"", err.text, words);
        assert_int_equal(err.code, code);
    }
}
