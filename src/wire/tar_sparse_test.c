// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_sparse.h"

#include "wire/tar_test.h"

static void put_octal(char *block, size_t at, size_t value)
{
    char text[13];

    snprintf(text, sizeof text, "%011zo", value);
    memcpy(block + at, text, 12);
}

/* Pieces of one byte at 10, 20, 30 and so on. */
static void add_old_sparse(struct buf *out, size_t pieces, size_t size, size_t stored)
{
    char block[TAR_BLOCK_SIZE];
    size_t done = 0, room = 4;

    make_header(block, &(struct header){.type = 'S', .magic = "ustar  ", .data_len = stored});
    put_octal(block, 483, size);
    for (size_t at = 386;; at = 0) {
        for (size_t i = 0; i < room && done < pieces; i++) {
            put_octal(block, at + 24 * i, 10 * ++done);
            put_octal(block, at + 24 * i + 12, 1);
        }
        block[room == 4 ? 482 : 504] = done < pieces;
        if (room == 4)
            seal(block);
        add(out, block, sizeof block);
        if (done == pieces)
            return;
        memset(block, 0, sizeof block);
        room = 21;
    }
}

static void test_old_gnu_sparse_files(void **state)
{
    (void)state;

    for (size_t pieces = 0; pieces <= 26; pieces += pieces == 5 ? 21 : 1) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
        AUTO_FINI(buf) expected = BUF(STORY_MAX);
        struct error err;

        add_old_sparse(&archive, pieces, 1000, pieces);
        add(&archive, "abcdefghijklmnopqrstuvwxyz", pieces);
        add_header(&archive, &(struct header){.name = "next"});
        add_end(&archive);
        assert_int_equal(buf_printf(&expected, &err, "[0 f 644 1:2 1000]"), 0);
        for (size_t i = 0; i < pieces; i++)
            assert_int_equal(buf_printf(&expected, &err, "%zu:%c", 10 * (i + 1), (int)('a' + i)),
                             0);
        assert_int_equal(buf_printf(&expected, &err, ";[0 next 644 1:2 0];"), 0);
        assert_story(&archive, expected.data);
    }
}

static void test_sparse_files_that_lie_are_refused(void **state)
{
    static const struct {
        size_t pieces, size, stored;
    } cases[] = {{2, 1000, 3}, {2, 1000, 1}, {2, 20, 2}, {1, 0, 1}, {25, 249, 25}};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);

        add_old_sparse(&archive, cases[i].pieces, cases[i].size, cases[i].stored);
        assert_refused(&archive, ERROR_INVALID, "sparse");
    }
}

static void test_pax_sparse_0_0_and_0_1(void **state)
{
    static const char *const keys[] = {"offset", "numbytes", "offset", "numbytes"};
    static const char *const values[] = {"5", "2", "90", "1"};
    (void)state;

    for (int version = 0; version < 2; version++) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
        AUTO_FINI(buf) records = BUF(ARCHIVE_MAX);
        char key[64];

        add_record(&records, "GNU.sparse.size", "100", 3);
        add_record(&records, "GNU.sparse.numblocks", "2", 1);
        for (size_t i = 0; i < 4 && version == 0; i++) {
            snprintf(key, sizeof key, "GNU.sparse.%s", keys[i]);
            add_record(&records, key, values[i], strlen(values[i]));
        }
        if (version == 1)
            add_record(&records, "GNU.sparse.map", "5,2,90,1", 8);
        add_record(&records, "GNU.sparse.name", "real", 4);
        add_extension(&archive, 'x', records.data, records.len);
        add_header(&archive, &(struct header){.data_len = 3});
        add(&archive, "xyz", 3);
        add_end(&archive);
        assert_story(&archive, "[0 real 644 1:2 100]5:xy90:z;");
    }
}

static void add_sparse_1_0(struct buf *out, const char *map, size_t map_len, const char *data)
{
    AUTO_FINI(buf) records = BUF(ARCHIVE_MAX);
    size_t blocks = (map_len + TAR_BLOCK_SIZE - 1) / TAR_BLOCK_SIZE * TAR_BLOCK_SIZE;

    add_record(&records, "GNU.sparse.major", "1", 1);
    add_record(&records, "GNU.sparse.minor", "0", 1);
    add_record(&records, "GNU.sparse.name", "real", 4);
    add_record(&records, "GNU.sparse.realsize", "5000", 4);
    add_extension(out, 'x', records.data, records.len);
    add_header(out, &(struct header){.data_len = blocks + strlen(data)});
    add(out, map, map_len);
    add(out, data, strlen(data));
}

static void test_pax_sparse_1_0(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    AUTO_FINI(buf) many = BUF(ARCHIVE_MAX);
    struct error err;
    (void)state;

    add_sparse_1_0(&archive, "2\n5\n2\n90\n1\n", 11, "xyz");
    add_sparse_1_0(&archive, "0\n", 2, "");
    assert_int_equal(buf_printf(&many, &err, "200\n"), 0);
    for (int i = 0; i < 200; i++)
        assert_int_equal(buf_printf(&many, &err, "%d\n0\n", i), 0);
    add_sparse_1_0(&archive, many.data, many.len, "");
    add_end(&archive);
    assert_story(&archive, "[0 real 644 1:2 5000]5:xy90:z;[0 real 644 1:2 5000];"
                           "[0 real 644 1:2 5000];");
}

static void test_damaged_sparse_maps_are_refused(void **state)
{
    static const struct {
        const char *map;
        enum error_code code;
    } cases[] = {
        {"\n", ERROR_INVALID},
        {"2\n5\n2\n", ERROR_INVALID},
        {"x\n", ERROR_INVALID},
        {"1\n5\n-2\n", ERROR_INVALID},
        {"65537\n", ERROR_EXHAUSTED},
        {"1\n0\n5001\n", ERROR_INVALID},
        {"2\n9\n0\n8\n0\n", ERROR_INVALID},
        {"1\n1\n9999999999999999999\n", ERROR_INVALID},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);

        add_sparse_1_0(&archive, cases[i].map, strlen(cases[i].map), "");
        assert_refused(&archive, cases[i].code, "sparse");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_old_gnu_sparse_files),
        cmocka_unit_test(test_sparse_files_that_lie_are_refused),
        cmocka_unit_test(test_pax_sparse_0_0_and_0_1),
        cmocka_unit_test(test_pax_sparse_1_0),
        cmocka_unit_test(test_damaged_sparse_maps_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
