// SPDX-License-Identifier: Apache-2.0
#include "imaged/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
// cmocka wants those above
#include <cmocka.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"

enum { BIG = 40 * 1000, LIMIT = 4 * 1024 * 1024 };

/* Text that compresses, but not to nothing. */
static void fill(char *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        out[i] = (char)('a' + (seed >> 16) % 7);
    }
}

static void add_gzip(struct buf *out, const char *text, size_t len)
{
    struct error err;
    z_stream z = {0};
    size_t bound = len + len / 2 + 100;

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)text;
    z.avail_in = (unsigned)len;
    z.next_out = (unsigned char *)buf_reserve(out, bound, &err);
    z.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_added(out, z.total_out);
    deflateEnd(&z);
}

static void add_zstd(struct buf *out, const char *text, size_t len)
{
    struct error err;
    size_t bound = ZSTD_compressBound(len);
    char *at = buf_reserve(out, bound, &err);
    size_t n = ZSTD_compress(at, bound, text, len, 3);

    assert_false(ZSTD_isError(n));
    buf_added(out, n);
}

/* Inflates what is in, given in pieces of in_step bytes and taken in pieces of out_step. */
static int inflate_all(const struct buf *in, size_t in_step, size_t out_step, struct buf *out,
                       struct error *err)
{
    AUTO(inflate) *i = inflate_new();
    char magic[INFLATE_MAGIC_MAX];
    ssize_t n;

    for (size_t at = 0; at < in->len; at += in_step) {
        size_t len = in->len - at < in_step ? in->len - at : in_step;
        struct inflate_input piece = {in->data + at, len};

        do {
            char *to = buf_reserve(out, out_step, err);

            if (!to || (n = inflate_next(i, &piece, to, out_step, err)) < 0)
                return -1;
            buf_added(out, (size_t)n);
        } while (piece.len > 0 || (size_t)n == out_step);
    }
    n = inflate_finish(i, magic, err);
    return n < 0 ? -1 : buf_append(out, magic, (size_t)n, err);
}

static void assert_inflates(const struct buf *in, const char *text, size_t len)
{
    static const size_t steps[] = {1, 2, 3, 7, 100, 4096, 1000 * 1000};

    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        for (size_t j = i > 3 ? 0 : 3; j < COUNT_OF(steps); j++) {
            AUTO_FINI(buf) out = BUF(LIMIT);
            struct error err = {0};

            assert_int_equal(inflate_all(in, steps[i], steps[j], &out, &err), 0);
            assert_int_equal(out.len, len);
            assert_true(len == 0 || memcmp(out.data, text, len) == 0);
        }
    }
}

static void test_plain_bytes_pass_as_they_are(void **state)
{
    static const char *const texts[] = {"", "a", "ab", "abc", "abcd", "abcdefgh", "\x1f\x8b", "PK"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        AUTO_FINI(buf) in = BUF(LIMIT);
        struct error err;

        assert_int_equal(buf_append(&in, texts[i], strlen(texts[i]), &err), 0);
        assert_inflates(&in, texts[i], strlen(texts[i]));
    }
}

static void test_gzip_members_are_one_stream(void **state)
{
    AUTO_FREE char *text = xmalloc(BIG);
    (void)state;

    fill(text, BIG, 1);
    for (size_t members = 1; members <= 4; members++) {
        AUTO_FINI(buf) in = BUF(LIMIT);
        size_t piece = BIG / members;

        for (size_t m = 0; m < members; m++)
            add_gzip(&in, text + m * piece, piece);
        assert_inflates(&in, text, members * piece);
    }
}

static void test_empty_gzip_members_give_nothing(void **state)
{
    AUTO_FINI(buf) in = BUF(LIMIT);
    (void)state;

    add_gzip(&in, "", 0);
    add_gzip(&in, "", 0);
    add_gzip(&in, "x", 1);
    add_gzip(&in, "", 0);
    assert_inflates(&in, "x", 1);
}

static void test_zstd_frames_are_one_stream(void **state)
{
    static const char skippable[] = {0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 'S', 'K', 'I', 'P'};
    AUTO_FREE char *text = xmalloc(BIG);
    AUTO_FINI(buf) in = BUF(LIMIT);
    struct error err;
    (void)state;

    fill(text, BIG, 2);
    assert_int_equal(buf_append(&in, skippable, sizeof skippable, &err), 0);
    add_zstd(&in, text, BIG / 2);
    add_zstd(&in, "", 0);
    assert_int_equal(buf_append(&in, skippable, sizeof skippable, &err), 0);
    add_zstd(&in, text + BIG / 2, BIG / 2);
    assert_int_equal(buf_append(&in, skippable, sizeof skippable, &err), 0);
    assert_inflates(&in, text, BIG);
}

static void test_a_stream_cut_off_is_refused(void **state)
{
    AUTO_FREE char *text = xmalloc(BIG);
    AUTO_FINI(buf) gzip = BUF(LIMIT);
    AUTO_FINI(buf) zstd = BUF(LIMIT);
    (void)state;

    fill(text, BIG, 3);
    add_gzip(&gzip, text, BIG);
    add_zstd(&zstd, text, BIG);
    for (size_t cut = 1; cut + 5 < zstd.len; cut = cut * 3 + 1) {
        struct buf *const both[] = {&gzip, &zstd};

        for (size_t i = 0; i < COUNT_OF(both); i++) {
            AUTO_FINI(buf) out = BUF(LIMIT);
            struct buf in = *both[i];
            struct error err = {0};

            in.len -= cut;
            assert_int_equal(inflate_all(&in, 4096, 4096, &out, &err), -1);
            assert_string_equal(err.text, "the compressed stream is cut off");
        }
    }
}

static void test_damage_is_refused(void **state)
{
    AUTO_FREE char *text = xmalloc(BIG);
    AUTO_FINI(buf) in = BUF(LIMIT);
    AUTO_FINI(buf) out = BUF(LIMIT);
    struct error err = {0};
    (void)state;

    fill(text, BIG, 4);
    add_gzip(&in, text, BIG);
    in.data[in.len - 6] ^= 1;
    assert_int_equal(inflate_all(&in, 4096, 4096, &out, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_string_equal(err.text, "gzip stream: its checksum is wrong");

    in.data[in.len - 6] ^= 1;
    assert_int_equal(buf_append(&in, "garbage behind it", 17, &err), 0);
    out.len = 0;
    assert_int_equal(inflate_all(&in, 4096, 4096, &out, &err), -1);
    assert_string_equal(err.text, "gzip stream: what follows a gzip member is none");
}

static void test_a_zstd_window_too_large_is_refused(void **state)
{
    /* a frame header that wants 2^30 bytes: no checksum, window descriptor (30 - 10) << 3 */
    static const char frame[] = {0x28, (char)0xb5, 0x2f, (char)0xfd, 0x00, (char)(20 << 3),
                                 1,    0,          0};
    struct buf in = {.data = (char *)(uintptr_t)frame, .len = sizeof frame};
    AUTO_FINI(buf) out = BUF(LIMIT);
    struct error err = {0};
    (void)state;

    assert_int_equal(inflate_all(&in, 4096, 4096, &out, &err), -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_string_equal(err.text, "zstd stream: its window is larger than 128 MiB");
}

static void test_a_stream_that_grows_beyond_measure_is_refused(void **state)
{
    enum { PIECE = 64 << 20, PIECES_MAX = 40, ROOM = 1 << 20 };
    AUTO(inflate) *i = inflate_new();
    AUTO_FREE char *room = xmalloc(ROOM), *zeros = xcalloc(1, PIECE);
    AUTO_FINI(buf) frame = BUF((size_t)2 * PIECE);
    uint64_t given = 0;
    struct error err = {0};
    ssize_t n = 0;
    (void)state;

    add_zstd(&frame, zeros, PIECE);
    for (int piece = 0; piece < PIECES_MAX && n >= 0; piece++) {
        struct inflate_input in = {frame.data, frame.len};

        do {
            n = inflate_next(i, &in, room, ROOM, &err);
            given += n > 0 ? (uint64_t)n : 0;
        } while (n == ROOM || (n >= 0 && in.len > 0));
    }
    assert_int_equal(n, -1);
    assert_int_equal(err.code, ERROR_EXHAUSTED);
    assert_in_range(given, INFLATE_BYTES_ALWAYS, INFLATE_BYTES_ALWAYS + ((uint64_t)256 << 20));
    assert_non_null(strstr(err.text, "more than 2000 times"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_bytes_pass_as_they_are),
        cmocka_unit_test(test_gzip_members_are_one_stream),
        cmocka_unit_test(test_empty_gzip_members_give_nothing),
        cmocka_unit_test(test_zstd_frames_are_one_stream),
        cmocka_unit_test(test_a_stream_cut_off_is_refused),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_a_zstd_window_too_large_is_refused),
        cmocka_unit_test(test_a_stream_that_grows_beyond_measure_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
