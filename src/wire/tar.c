// SPDX-License-Identifier: Apache-2.0
#include "wire/tar.h"

#include <string.h>

#include "base/buf.h"
#include "wire/tar_fields.h"
#include "wire/tar_header.h"
#include "wire/tar_pax.h"
#include "wire/tar_sparse.h"

/* An archive is a row of blocks of 512 bytes: for each entry a header, then its data filled up to
 * whole blocks. Extensions are entries of their own in front of the entry they are about:
 *
 *   [x header][records][header of the file][map of pieces, pax 1.0 only][data]  ...  [0][0]
 *
 * The state says what the next bytes are. HEADER, EXTENTS and MAP collect one block, EXTENSION
 * collects the whole extension, DATA hands the caller's bytes on as they are. */
enum state { HEADER, EXTENSION, EXTENTS, MAP, DATA, SKIP, AFTER_END };

/* Old GNU sparse headers: where their pieces are, whether more blocks of pieces follow, the size
 * of the file with its holes. */
enum { SPARSE_AT = 386, SPARSE_MORE_AT = 482, SPARSE_SIZE_AT = 483, SPARSE_NEXT_MORE_AT = 504 };

enum { SIZE_FIELD = 12 };

struct tar {
    enum state state;
    uint8_t block[TAR_BLOCK_SIZE];
    size_t filled; /* of block */
    bool saw_zero_block;
    size_t entries;

    struct buf extension; /* that is being read */
    struct buf records;   /* what pax points into */
    struct tar_fields fields;

    struct tar_header header;
    struct tar_entry entry;
    struct tar_sparse sparse;

    uint64_t left;  /* of the stored bytes of this entry or extension */
    size_t padding; /* behind them */
    size_t extent;  /* the piece that is read, and how far */
    uint64_t extent_at;
    struct tar_chunk chunk;
};

struct tar *tar_new(void)
{
    struct tar *t = xcalloc(1, sizeof *t);

    buf_init(&t->extension, TAR_EXTENSION_MAX);
    buf_init(&t->records, TAR_EXTENSION_MAX);
    tar_pax_clear(&t->fields.pax);
    return t;
}

void tar_free(struct tar *t)
{
    if (!t)
        return;
    buf_fini(&t->extension);
    buf_fini(&t->records);
    tar_fields_fini(&t->fields);
    tar_sparse_fini(&t->sparse);
    free(t);
}

const struct tar_entry *tar_entry(const struct tar *t)
{
    return &t->entry;
}

const struct tar_chunk *tar_chunk(const struct tar *t)
{
    return &t->chunk;
}

static const void *take(struct tar_input *in, size_t len)
{
    const char *at = in->data;

    in->data = at + len;
    in->len -= len;
    return at;
}

static size_t at_most(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

/* True when the block is complete. */
static bool fill_block(struct tar *t, struct tar_input *in)
{
    size_t n = at_most(TAR_BLOCK_SIZE - t->filled, in->len);

    if (n)
        memcpy(t->block + t->filled, take(in, n), n);
    t->filled += n;
    if (t->filled < TAR_BLOCK_SIZE)
        return false;
    t->filled = 0;
    return true;
}

static void set_stored(struct tar *t, uint64_t len)
{
    t->left = len;
    t->padding = (size_t)(-len % TAR_BLOCK_SIZE);
}

static void skip_rest(struct tar *t)
{
    t->left += t->padding;
    t->padding = 0;
    t->state = SKIP;
}

static void forget_extensions(struct tar *t)
{
    tar_fields_clear(&t->fields);
    tar_sparse_clear(&t->sparse);
}

static int begin_extension(struct tar *t, struct error *err)
{
    int64_t size = t->header.size;

    if (size < 0 || size > TAR_EXTENSION_MAX - 1)
        return error_set(err, ERROR_EXHAUSTED, "an extension has more than %d bytes",
                         TAR_EXTENSION_MAX - 1);
    set_stored(t, (uint64_t)size);
    t->extension.len = 0;
    t->state = EXTENSION;
    if (t->header.type == 'g')
        skip_rest(t);
    return 0;
}

static int end_extension(struct tar *t, struct error *err)
{
    const char *text = t->extension.data ? t->extension.data : "";
    char **name = t->header.type == 'L' ? &t->fields.gnu_path : &t->fields.gnu_link;

    if (t->header.type == 'x') {
        struct buf records = t->extension;

        t->extension = t->records;
        t->records = records;
        tar_pax_clear(&t->fields.pax);
        tar_sparse_clear(&t->sparse);
        return records.len == 0
                   ? 0
                   : tar_pax_parse(&t->fields.pax, &t->sparse, records.data, records.len, err);
    }
    free(*name);
    *name = xstrndup(text, t->extension.len);
    return 0;
}

static int next_extension(struct tar *t, struct tar_input *in, struct error *err)
{
    size_t n = at_most(t->left, in->len);

    if (n && buf_append(&t->extension, take(in, n), n, err) < 0)
        return -1;
    t->left -= n;
    if (t->left > 0)
        return TAR_MORE;
    skip_rest(t);
    return end_extension(t, err);
}

static int set_size(struct tar *t, struct error *err)
{
    int64_t stored = t->fields.pax.size >= 0 ? t->fields.pax.size : t->header.size, size = stored;

    if (t->header.type == 'S' &&
        tar_header_number(t->block + SPARSE_SIZE_AT, SIZE_FIELD, &size, err) < 0)
        return -1;
    if (t->fields.pax.sparse && t->fields.pax.sparse_size >= 0)
        size = t->fields.pax.sparse_size;
    if (stored < 0 || size < 0)
        return error_set(err, ERROR_INVALID, "the size is negative");
    if (t->entry.type != TAR_FILE)
        stored = size = 0;
    t->entry.size = (uint64_t)size;
    set_stored(t, (uint64_t)stored);
    return 0;
}

static int announce(struct tar *t, struct error *err)
{
    if (!t->entry.sparse) {
        tar_sparse_clear(&t->sparse);
        if (t->left > 0 && tar_sparse_add(&t->sparse, 0, t->left, err) < 0)
            return -1;
    }
    if (tar_sparse_check(&t->sparse, t->entry.size, t->left, err) < 0)
        return error_wrap(err, "%.200s", t->entry.path);
    t->extent = 0;
    t->extent_at = 0;
    t->state = DATA;
    return TAR_ENTRY;
}

static int begin_sparse(struct tar *t, struct error *err)
{
    if (t->fields.pax.sparse) {
        t->state = MAP;
        return t->fields.pax.sparse_inline ? TAR_MORE : announce(t, err);
    }
    tar_sparse_clear(&t->sparse);
    if (tar_sparse_add_fields(&t->sparse, t->block + SPARSE_AT, TAR_HEADER_SPARSE, err) < 0)
        return error_wrap(err, "%.200s", t->entry.path);
    t->state = EXTENTS;
    return t->block[SPARSE_MORE_AT] ? TAR_MORE : announce(t, err);
}

static int begin_entry(struct tar *t, struct error *err)
{
    struct tar_entry *e = &t->entry;

    if (++t->entries > TAR_ENTRIES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "there are more than %d entries", TAR_ENTRIES_MAX);
    if (tar_fields_merge(&t->fields, &t->header, e, err) < 0 || set_size(t, err) < 0)
        return error_wrap(err, "entry %.128s", t->header.name);
    return e->sparse ? begin_sparse(t, err) : announce(t, err);
}

static int next_header(struct tar *t, struct tar_input *in, struct error *err)
{
    if (!fill_block(t, in))
        return TAR_MORE;
    if (tar_header_is_zero(t->block)) {
        t->state = t->saw_zero_block ? AFTER_END : HEADER;
        t->saw_zero_block = true;
        return TAR_MORE;
    }
    if (t->saw_zero_block)
        return error_set(err, ERROR_INVALID, "an entry follows a block of zeros");
    if (tar_header_decode(t->block, &t->header, err) < 0)
        return -1;
    if (memchr("xgLK", t->header.type, 4))
        return begin_extension(t, err);
    return begin_entry(t, err);
}

/* More pieces of an old GNU sparse file. */
static int next_extents(struct tar *t, struct tar_input *in, struct error *err)
{
    if (!fill_block(t, in))
        return TAR_MORE;
    if (tar_sparse_add_fields(&t->sparse, t->block, TAR_HEADER_SPARSE_MORE, err) < 0)
        return error_wrap(err, "%.200s", t->entry.path);
    return t->block[SPARSE_NEXT_MORE_AT] ? TAR_MORE : announce(t, err);
}

static int next_map(struct tar *t, struct tar_input *in, struct error *err)
{
    int complete;

    if (t->left < TAR_BLOCK_SIZE)
        return error_set(err, ERROR_INVALID, "%.200s: the map of a sparse file is cut off",
                         t->entry.path);
    if (!fill_block(t, in))
        return TAR_MORE;
    t->left -= TAR_BLOCK_SIZE;
    complete = tar_sparse_add_text(&t->sparse, t->block, err);
    if (complete < 0)
        return error_wrap(err, "%.200s", t->entry.path);
    return complete ? announce(t, err) : TAR_MORE;
}

static int next_data(struct tar *t, struct tar_input *in)
{
    const struct tar_extent *e = t->sparse.extents;
    size_t n;

    if (t->left == 0) {
        forget_extensions(t);
        skip_rest(t);
        return TAR_ENTRY_END;
    }
    /* The pieces are as long as what is left, so there is one that is not used up. */
    for (; t->extent_at == e[t->extent].len; t->extent++)
        t->extent_at = 0;
    n = at_most(e[t->extent].len - t->extent_at, in->len);
    if (n == 0)
        return TAR_MORE;
    t->chunk = (struct tar_chunk){e[t->extent].offset + t->extent_at, take(in, n), n};
    t->extent_at += n;
    t->left -= n;
    return TAR_DATA;
}

static int skip(struct tar *t, struct tar_input *in)
{
    size_t n = at_most(t->left, in->len);

    if (n)
        take(in, n);
    t->left -= n;
    if (t->left == 0)
        t->state = HEADER;
    return TAR_MORE;
}

static int step(struct tar *t, struct tar_input *in, struct error *err)
{
    switch (t->state) {
    case HEADER:
        return next_header(t, in, err);
    case EXTENSION:
        return next_extension(t, in, err);
    case EXTENTS:
        return next_extents(t, in, err);
    case MAP:
        return next_map(t, in, err);
    case DATA:
        return next_data(t, in);
    case SKIP:
        return skip(t, in);
    case AFTER_END:
        take(in, in->len);
        break;
    }
    return TAR_MORE;
}

int tar_next(struct tar *t, struct tar_input *in, struct error *err)
{
    for (;;) {
        int event = step(t, in, err);

        /* An entry without data ends without input. */
        if (event != TAR_MORE || in->len == 0)
            return event;
    }
}

uint64_t tar_skip(struct tar *t)
{
    uint64_t len = t->left + t->padding;

    forget_extensions(t);
    t->left = 0;
    t->state = HEADER;
    return len;
}

int tar_finish(const struct tar *t, struct error *err)
{
    bool between = (t->state == HEADER && t->filled == 0) || t->state == AFTER_END;

    /* Some writers leave out the padding of the last entry. */
    if (!between && !(t->state == SKIP && t->left < TAR_BLOCK_SIZE))
        return error_set(err, ERROR_INVALID, "the archive ends inside an entry");
    return 0;
}
