// SPDX-License-Identifier: Apache-2.0
#include "wire/tar.h"

#include "wire/tar_test.h"

static void test_types_and_names(void **state)
{
    static const struct {
        struct header header;
        const char *story;
    } cases[] = {
        {{.name = "a"}, "[0 a 644 1:2 0];"},
        {{.name = "a", .type = '1', .link = "b"}, "[1 a->b 644 1:2 0];"},
        {{.name = "a", .type = '2', .link = "/x"}, "[2 a->/x 644 1:2 0];"},
        {{.name = "d/", .type = '5'}, "[5 d/ 644 1:2 0];"},
        {{.name = "d/", .type = '0'}, "[5 d/ 644 1:2 0];"},
        {{.name = "p", .type = '6'}, "[6 p 644 1:2 0];"},
        {{.name = "c", .type = '7'}, "[0 c 644 1:2 0];"},
        {{.name = "a", .link = "ignored"}, "[0 a 644 1:2 0];"},
        {{.name = "n", .prefix = "pre/fix"}, "[0 pre/fix/n 644 1:2 0];"},
        {{.name = "n", .prefix = "pre", .magic = ""}, "[0 n 644 1:2 0];"},
        {{.name = "n", .prefix = "old go", .magic = "ustar  "}, "[0 old go/n 644 1:2 0];"},
        {{.name = "n", .prefix = "00000000017", .magic = "ustar  "}, "[0 n 644 1:2 0];"},
        {{.name = "n", .uid = "  17 "}, "[0 n 644 15:2 0];"},
        {{.name = "n", .mtime = "-1"}, NULL},
        {{.name = "n", .uid = "1x"}, NULL},
        {{.name = "n", .type = 'Q'}, NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
        AUTO_FINI(buf) story = BUF(STORY_MAX);
        struct error err;

        add_header(&archive, &cases[i].header);
        add_end(&archive);
        if (!cases[i].story)
            assert_int_equal(read_all(&archive, 512, &story, &err), -1);
        else
            assert_story(&archive, cases[i].story);
    }
}

static void test_numbers_in_base_256(void **state)
{
    static const struct {
        uint8_t bytes[12];
        int64_t value;
        bool valid;
    } cases[] = {
        {{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0, true},
        {{0x80, 0, 0, 0, 0, 0, 0, 0, 0xee, 0x6b, 0x28, 0}, 4000000000, true},
        {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfb}, -5, true},
        {{0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, INT64_MAX, true},
        {{0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0}, 0, false},
        {{0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 0, false},
        {{0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0, false},
        {{0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 0, false},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char block[TAR_BLOCK_SIZE], expected[64] = "[0 f 644 1:2 0];";
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
        AUTO_FINI(buf) story = BUF(STORY_MAX);
        struct error err;

        make_header(block, &(struct header){.name = "f"});
        memcpy(block + 136, cases[i].bytes, 12);
        seal(block);
        add(&archive, block, sizeof block);
        add_end(&archive);
        if (cases[i].value != 10)
            snprintf(expected, sizeof expected, "[0 f 644 1:2 0 @%lld.000000000];",
                     (long long)cases[i].value);
        if (cases[i].valid)
            assert_story(&archive, expected);
        else
            assert_int_equal(read_all(&archive, 512, &story, &err), -1);
    }
}

static void test_data_and_padding(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    (void)state;

    add_header(&archive, &(struct header){.name = "a", .data_len = 5});
    add(&archive, "hello", 5);
    add_header(&archive, &(struct header){.name = "d/", .type = '5', .data_len = 99});
    add_header(&archive, &(struct header){.name = "b", .data_len = 1});
    add(&archive, "x", 1);
    add_end(&archive);
    add(&archive, "garbage that nobody reads", 25);
    assert_story(&archive, "[0 a 644 1:2 5]0:hello;[5 d/ 644 1:2 0];[0 b 644 1:2 1]0:x;");
}

static void test_gnu_long_names(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    char name[301], expected[1000];
    (void)state;

    memset(name, 'n', 300);
    name[300] = '\0';
    add_extension(&archive, 'L', name, 301);
    add_extension(&archive, 'K', "target", 7);
    add_header(&archive, &(struct header){.name = "short", .type = '2', .link = "t"});
    add_header(&archive, &(struct header){.name = "next", .type = '2', .link = "u"});
    add_end(&archive);
    snprintf(expected, sizeof expected, "[2 %s->target 644 1:2 0];[2 next->u 644 1:2 0];", name);
    assert_story(&archive, expected);
}

static void test_pax_records(void **state)
{
    static const struct {
        const char *key;
        const char *value;
        const char *story;
    } cases[] = {
        {"path", "p/q", "[0 p/q 644 1:2 1]0:x;"},
        {"path", "", "[0 f 644 1:2 1]0:x;"},
        {"linkpath", "unused", "[0 f 644 1:2 1]0:x;"},
        {"uid", "4000000000", "[0 f 644 4000000000:2 1]0:x;"},
        {"gid", "77", "[0 f 644 1:77 1]0:x;"},
        {"uid", "", "[0 f 644 1:2 1]0:x;"},
        {"mtime", "10", "[0 f 644 1:2 1]0:x;"},
        {"mtime", "1.5", "[0 f 644 1:2 1 @1.500000000]0:x;"},
        {"mtime", "1.1234567899", "[0 f 644 1:2 1 @1.123456789]0:x;"},
        {"mtime", "-1.25", "[0 f 644 1:2 1 @-2.750000000]0:x;"},
        {"mtime", "7.", "[0 f 644 1:2 1 @7.000000000]0:x;"},
        {"SCHILY.xattr.user.a", "v=\nw", "[0 f 644 1:2 1 user.a=v=\nw]0:x;"},
        {"SCHILY.xattr.user.a", "", "[0 f 644 1:2 1 user.a=]0:x;"},
        {"LIBARCHIVE.xattr.user.a", "dg", "[0 f 644 1:2 1]0:x;"},
        {"comment", "whatever", "[0 f 644 1:2 1]0:x;"},
        {"uid", "4294967295", NULL},
        {"uid", "-1", NULL},
        {"uid", "1234567890123456789", NULL},
        {"mtime", "soon", NULL},
        {"mtime", "1e5", NULL},
        {"mtime", ".5", NULL},
        {"SCHILY.xattr.", "nameless", NULL},
        {"GNU.sparse.major", "2", NULL},
        {"GNU.sparse.offset", "1", NULL},
        {"GNU.sparse.numbytes", "1", NULL},
        {"GNU.sparse.map", "1", NULL},
        {"GNU.sparse.map", "1,x", NULL},
        {"GNU.sparse.map", "0,99999999999999999999", NULL},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
        AUTO_FINI(buf) story = BUF(STORY_MAX);
        struct error err;

        add_pax(&archive, cases[i].key, cases[i].value);
        add_header(&archive, &(struct header){.data_len = 1});
        add(&archive, "x", 1);
        add_end(&archive);
        if (cases[i].story)
            assert_story(&archive, cases[i].story);
        else
            assert_int_equal(read_all(&archive, 512, &story, &err), -1);
    }
}

static void test_pax_sizes_overrule_the_header(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    (void)state;

    add_pax(&archive, "size", "3");
    add_header(&archive, &(struct header){.name = "a", .data_len = 0});
    add(&archive, "xyz", 3);
    add_header(&archive, &(struct header){.name = "b"});
    add_end(&archive);
    assert_story(&archive, "[0 a 644 1:2 3]0:xyz;[0 b 644 1:2 0];");
}

static void test_global_headers_are_ignored(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    AUTO_FINI(buf) records = BUF(ARCHIVE_MAX);
    (void)state;

    add_record(&records, "path", "global", 6);
    add_pax(&archive, "path", "local");
    add_extension(&archive, 'g', records.data, records.len);
    add_header(&archive, &(struct header){.name = "a"});
    add_header(&archive, &(struct header){.name = "b"});
    add_end(&archive);
    assert_story(&archive, "[0 local 644 1:2 0];[0 b 644 1:2 0];");
}

static void test_attributes_keep_their_nuls_and_the_last_one_wins(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    AUTO_FINI(buf) records = BUF(ARCHIVE_MAX);
    AUTO(tar) *t = tar_new();
    struct error err;
    struct tar_input in;
    (void)state;

    add_record(&records, "SCHILY.xattr.user.k", "old", 3);
    add_record(&records, "SCHILY.xattr.user.k", "n\0w", 3);
    add_record(&records, "SCHILY.xattr.user.l", "", 0);
    add_extension(&archive, 'x', records.data, records.len);
    add_header(&archive, &(struct header){0});
    in = (struct tar_input){archive.data, archive.len};
    assert_int_equal(tar_next(t, &in, &err), TAR_ENTRY);
    assert_int_equal(tar_entry(t)->n_xattrs, 2);
    assert_string_equal(tar_entry(t)->xattrs[0].name, "user.k");
    assert_int_equal(tar_entry(t)->xattrs[0].len, 3);
    assert_memory_equal(tar_entry(t)->xattrs[0].value, "n\0w", 3);
}

static void test_damaged_pax_records_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {"x", 1},
        {"5", 1},
        {"5 ", 2},
        {"9 a=b\n", 6},
        {"6 a=b\n", 6 - 1},
        {"6 a=bc", 6},
        {"5 ab\n", 5},
        {"5 =b\n", 5},
        {"99999999999999999999 a=b\n", 25},
        {"0 a=b\n", 6},
        {"6 a=b\n6 c=d", 11},
        {"8 a\0b=c\n", 8},
        {"9 path=\0\n", 10},
        {"-6 a=b\n", 7},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);

        add_extension(&archive, 'x', cases[i].text, cases[i].len);
        add_header(&archive, &(struct header){0});
        add_end(&archive);
        assert_refused(&archive, ERROR_INVALID, "");
    }
}

static void test_limits(void **state)
{
    AUTO_FREE char *text = xmalloc(TAR_EXTENSION_MAX);
    AUTO_FINI(buf) extension = BUF(ARCHIVE_MAX);
    AUTO_FINI(buf) name = BUF(ARCHIVE_MAX);
    AUTO_FINI(buf) value = BUF(ARCHIVE_MAX);
    (void)state;

    memset(text, 'n', TAR_EXTENSION_MAX);
    add_extension(&extension, 'x', text, TAR_EXTENSION_MAX);
    assert_refused(&extension, ERROR_EXHAUSTED, "extension");

    add_extension(&name, 'L', text, TAR_PATH_MAX + 1);
    add_header(&name, &(struct header){0});
    assert_refused(&name, ERROR_EXHAUSTED, "path");

    text[TAR_XATTR_SIZE_MAX + 1] = '\0';
    add_pax(&value, "SCHILY.xattr.user.x", text);
    assert_refused(&value, ERROR_EXHAUSTED, "longer");
}

static void test_checksums(void **state)
{
    char block[TAR_BLOCK_SIZE];
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    AUTO_FINI(buf) old = BUF(ARCHIVE_MAX);
    int sum = 0;
    char text[8];
    (void)state;

    make_header(block, &(struct header){.name = "f"});
    block[0] ^= 1;
    add(&archive, block, sizeof block);
    assert_refused(&archive, ERROR_INVALID, "checksum");

    /* as old writers counted, with signed bytes */
    make_header(block, &(struct header){.name = "\xfc\xe9"});
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < sizeof block; i++)
        sum += (signed char)block[i];
    snprintf(text, sizeof text, "%06o", (unsigned)sum & 0777777);
    memcpy(block + 148, text, 7);
    add(&old, block, sizeof block);
    assert_story(&old, "[0 \xfc\xe9 644 1:2 0];");
}

static void test_where_an_archive_may_end(void **state)
{
    static const struct {
        size_t len;
        bool ok;
    } cases[] = {{0, true},     {1, false},    {511, false}, {512, false}, {513, false},
                 {1111, false}, {1112, true},  {1200, true}, {1536, true}, {1537, false},
                 {2048, true},  {2049, false}, {2560, true}, {2561, true}};
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    char data[600] = "d";
    (void)state;

    add_header(&archive, &(struct header){.data_len = sizeof data});
    add(&archive, data, sizeof data);
    add_end(&archive);
    add(&archive, "behind", 6);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO_FINI(buf) story = BUF(STORY_MAX);
        struct buf cut = {.data = archive.data, .len = cases[i].len};
        struct error err;

        assert_int_equal(read_all(&cut, 512, &story, &err), cases[i].ok ? 0 : -1);
    }
}

static void test_an_entry_behind_a_block_of_zeros_is_refused(void **state)
{
    static const char zero[TAR_BLOCK_SIZE];
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    (void)state;

    add_header(&archive, &(struct header){0});
    add(&archive, zero, sizeof zero);
    add_header(&archive, &(struct header){0});
    assert_refused(&archive, ERROR_INVALID, "zeros");
}

static void test_skip_leaps_over_an_entry(void **state)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    AUTO(tar) *t = tar_new();
    char data[700] = "d";
    struct tar_input in;
    struct error err;
    (void)state;

    add_pax(&archive, "path", "long");
    add_header(&archive, &(struct header){.data_len = sizeof data});
    add(&archive, data, sizeof data);
    add_header(&archive, &(struct header){.name = "second"});
    in = (struct tar_input){archive.data, archive.len};
    assert_int_equal(tar_next(t, &in, &err), TAR_ENTRY);
    assert_string_equal(tar_entry(t)->path, "long");
    assert_int_equal(tar_skip(t), 1024);
    in.data = (const char *)in.data + 1024;
    in.len -= 1024;
    assert_int_equal(tar_next(t, &in, &err), TAR_ENTRY);
    assert_string_equal(tar_entry(t)->path, "second");
    assert_int_equal(tar_skip(t), 0);
    assert_int_equal(tar_next(t, &in, &err), TAR_MORE);
    assert_int_equal(tar_finish(t, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types_and_names),
        cmocka_unit_test(test_numbers_in_base_256),
        cmocka_unit_test(test_data_and_padding),
        cmocka_unit_test(test_gnu_long_names),
        cmocka_unit_test(test_pax_records),
        cmocka_unit_test(test_pax_sizes_overrule_the_header),
        cmocka_unit_test(test_global_headers_are_ignored),
        cmocka_unit_test(test_attributes_keep_their_nuls_and_the_last_one_wins),
        cmocka_unit_test(test_damaged_pax_records_are_refused),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_where_an_archive_may_end),
        cmocka_unit_test(test_an_entry_behind_a_block_of_zeros_is_refused),
        cmocka_unit_test(test_skip_leaps_over_an_entry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
