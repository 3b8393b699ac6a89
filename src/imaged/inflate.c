// SPDX-License-Identifier: Apache-2.0
#include "imaged/inflate.h"

#include <isa-l/igzip_lib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { ZSTD_SKIPPABLE = 0x50, ZSTD_SKIPPABLE_MASK = 0xf0 };

struct inflate {
    enum inflate_format format;
    uint8_t magic[INFLATE_MAGIC_MAX]; /* first bytes that came and have not been passed on */
    size_t held;
    size_t passed;  /* of held, to the decoder */
    bool in_stream; /* inside a member or frame */
    struct inflate_state *gzip;
    ZSTD_DStream *zstd;
    uint64_t taken; /* bytes of input and output so far */
    uint64_t given;
};

struct inflate *inflate_new(void)
{
    return xcalloc(1, sizeof(struct inflate));
}

void inflate_free(struct inflate *i)
{
    if (!i)
        return;
    free(i->gzip);
    ZSTD_freeDStream(i->zstd);
    free(i);
}

enum inflate_format inflate_format(const struct inflate *i)
{
    return i->format;
}

static int begin_zstd(struct inflate *i, struct error *err)
{
    i->zstd = ZSTD_createDStream();
    if (!i->zstd ||
        ZSTD_isError(ZSTD_DCtx_setParameter(i->zstd, ZSTD_d_windowLogMax, INFLATE_WINDOW_LOG_MAX)))
        return error_set(err, ERROR_INTERNAL, "zstd does not start");
    return 0;
}

static void begin_member(struct inflate *i)
{
    isal_inflate_init(i->gzip);
    i->gzip->crc_flag = ISAL_GZIP;
    i->in_stream = true;
}

enum inflate_format inflate_detect(const void *bytes, size_t len)
{
    static const uint8_t gzip[] = {0x1f, 0x8b, 0x08}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    static const uint8_t skippable[] = {0x2a, 0x4d, 0x18};
    const uint8_t *magic = bytes;

    if (len >= sizeof gzip && memcmp(magic, gzip, sizeof gzip) == 0)
        return INFLATE_GZIP;
    if (len >= sizeof zstd && memcmp(magic, zstd, sizeof zstd) == 0)
        return INFLATE_ZSTD;
    if (len >= 1 + sizeof skippable && (magic[0] & ZSTD_SKIPPABLE_MASK) == ZSTD_SKIPPABLE &&
        memcmp(magic + 1, skippable, sizeof skippable) == 0)
        return INFLATE_ZSTD;
    return INFLATE_PLAIN;
}

static int begin(struct inflate *i, struct error *err)
{
    i->format = inflate_detect(i->magic, i->held);
    if (i->format == INFLATE_ZSTD)
        return begin_zstd(i, err);
    if (i->format == INFLATE_GZIP) {
        i->gzip = xmalloc(sizeof *i->gzip);
        begin_member(i);
    }
    return 0;
}

static ssize_t next_plain(struct inflate_input *in, uint8_t *out, size_t out_len)
{
    size_t n = in->len < out_len ? in->len : out_len;

    if (n)
        memcpy(out, in->data, n);
    in->data = (const uint8_t *)in->data + n;
    in->len -= n;
    return (ssize_t)n;
}

static const char *gzip_words(int code)
{
    switch (code) {
    case ISAL_INCORRECT_CHECKSUM:
        return "its checksum is wrong";
    case ISAL_INVALID_WRAPPER:
    case ISAL_UNSUPPORTED_METHOD:
        return "what follows a gzip member is none";
    default:
        return "it is damaged";
    }
}

/* isa-l counts in 32 bits. */
static uint32_t at_most_32(size_t len)
{
    return len < UINT32_MAX / 2 ? (uint32_t)len : UINT32_MAX / 2;
}

static ssize_t next_gzip(struct inflate *i, struct inflate_input *in, uint8_t *out, size_t out_len,
                         struct error *err)
{
    struct inflate_state *s = i->gzip;
    size_t done = 0;

    while (done < out_len && (in->len > 0 || i->in_stream)) {
        uint32_t offered = at_most_32(in->len), room = at_most_32(out_len - done);
        int code;

        if (!i->in_stream)
            begin_member(i);
        s->next_in = (uint8_t *)(uintptr_t)in->data;
        s->avail_in = offered;
        s->next_out = out + done;
        s->avail_out = room;
        code = isal_inflate(s);
        if (code < 0)
            return error_set(err, ERROR_INVALID, "gzip stream: %s", gzip_words(code));
        in->data = s->next_in;
        in->len -= offered - s->avail_in;
        done += room - s->avail_out;
        i->in_stream = s->block_state != ISAL_BLOCK_FINISH;
        if (i->in_stream && offered == s->avail_in && room == s->avail_out)
            break; /* it waits for more input */
    }
    return (ssize_t)done;
}

static ssize_t next_zstd(struct inflate *i, struct inflate_input *in, uint8_t *out, size_t out_len,
                         struct error *err)
{
    ZSTD_inBuffer from = {in->data, in->len, 0};
    ZSTD_outBuffer to = {out, out_len, 0};

    while (to.pos < to.size) {
        size_t from_before = from.pos, to_before = to.pos;
        size_t left = ZSTD_decompressStream(i->zstd, &to, &from);

        if (ZSTD_isError(left) &&
            ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge)
            return error_set(err, ERROR_EXHAUSTED, "zstd stream: its window is larger than %d MiB",
                             1 << (INFLATE_WINDOW_LOG_MAX - 20));
        if (ZSTD_isError(left))
            return error_set(err, ERROR_INVALID, "zstd stream: %s", ZSTD_getErrorName(left));
        if (from.pos == from_before && to.pos == to_before)
            break;
        i->in_stream = left != 0;
    }
    in->data = (const uint8_t *)in->data + from.pos;
    in->len -= from.pos;
    return (ssize_t)to.pos;
}

static ssize_t decode(struct inflate *i, struct inflate_input *in, uint8_t *out, size_t out_len,
                      struct error *err)
{
    if (i->format == INFLATE_GZIP)
        return next_gzip(i, in, out, out_len, err);
    if (i->format == INFLATE_ZSTD)
        return next_zstd(i, in, out, out_len, err);
    return next_plain(in, out, out_len);
}

/* Collects the magic. True when the format is known. */
static int hold(struct inflate *i, struct inflate_input *in, struct error *err)
{
    size_t want = INFLATE_MAGIC_MAX - i->held, n = in->len < want ? in->len : want;

    if (n)
        memcpy(i->magic + i->held, in->data, n);
    i->held += n;
    in->data = (const uint8_t *)in->data + n;
    in->len -= n;
    return i->held == INFLATE_MAGIC_MAX ? begin(i, err) : 0;
}

static ssize_t pass_held(struct inflate *i, uint8_t *out, size_t out_len, struct error *err)
{
    struct inflate_input held = {i->magic + i->passed, i->held - i->passed};
    ssize_t n = decode(i, &held, out, out_len, err);

    i->passed = i->held - held.len;
    return n;
}

static ssize_t next(struct inflate *i, struct inflate_input *in, void *out, size_t out_len,
                    struct error *err)
{
    ssize_t first = 0, rest;

    if (i->format == INFLATE_UNKNOWN && hold(i, in, err) < 0)
        return -1;
    if (i->format == INFLATE_UNKNOWN)
        return 0;
    if (i->passed < i->held)
        first = pass_held(i, out, out_len, err);
    if (first < 0 || i->passed < i->held)
        return first;
    rest = decode(i, in, (uint8_t *)out + first, out_len - (size_t)first, err);
    return rest < 0 ? -1 : first + rest;
}

/* A small stream must not fill the disk. */
static int check_growth(const struct inflate *i, struct error *err)
{
    if (i->given > INFLATE_BYTES_MAX)
        return error_set(err, ERROR_EXHAUSTED, "it is larger than %llu GiB unpacked",
                         (unsigned long long)(INFLATE_BYTES_MAX >> 30));
    if (i->given > INFLATE_BYTES_ALWAYS &&
        (i->given - INFLATE_BYTES_ALWAYS) / INFLATE_GROWTH_MAX > i->taken)
        return error_set(err, ERROR_EXHAUSTED,
                         "%llu compressed bytes have become more than %d times as many",
                         (unsigned long long)i->taken, INFLATE_GROWTH_MAX);
    return 0;
}

ssize_t inflate_next(struct inflate *i, struct inflate_input *in, void *out, size_t out_len,
                     struct error *err)
{
    size_t before = in->len;
    ssize_t n = next(i, in, out, out_len, err);

    if (n < 0)
        return -1;
    i->taken += before - in->len;
    i->given += (size_t)n;
    return check_growth(i, err) < 0 ? -1 : n;
}

ssize_t inflate_finish(struct inflate *i, void *out, struct error *err)
{
    size_t n = i->format == INFLATE_UNKNOWN ? i->held : 0;

    if (i->in_stream || i->passed < (n ? 0 : i->held))
        return error_set(err, ERROR_INVALID, "the compressed stream is cut off");
    if (n)
        memcpy(out, i->magic, n);
    return (ssize_t)n;
}
