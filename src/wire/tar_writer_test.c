// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_writer.h"

#include "wire/tar_test.h"

static void append(struct buf *archive, const struct tar_entry *e, const char *data)
{
    struct error err;

    if (tar_writer_head(e, archive, &err) < 0)
        fail_msg("%s", err.text);
    if (data)
        add(archive, data, strlen(data));
}

/* What the reader makes of one entry. */
static void assert_written(const struct tar_entry *e, const char *data, const char *story)
{
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);

    append(&archive, e, data);
    append(&archive, &(struct tar_entry){.path = "next", .mode = 0600, .modified = {10, 0}}, NULL);
    add_end(&archive);
    AUTO_FREE char *whole = xasprintf("%s[0 next 600 0:0 0];", story);
    assert_story(&archive, whole);
}

static void test_every_type_is_read_back(void **state)
{
    const struct timespec ten = {10, 0};
    const struct tar_entry entries[] = {
        {.type = TAR_FILE, .path = "a", .size = 3, .mode = 04755, .uid = 1, .modified = ten},
        {.type = TAR_HARD_LINK, .path = "b", .link = "a", .modified = ten},
        {.type = TAR_SYMLINK, .path = "c", .link = "/x", .mode = 0777, .modified = ten},
        {.type = TAR_CHAR_DEVICE, .path = "d", .major = 5, .minor = 1, .modified = ten},
        {.type = TAR_BLOCK_DEVICE, .path = "e", .modified = ten},
        {.type = TAR_DIR, .path = "f/", .mode = 01777, .modified = ten},
        {.type = TAR_FIFO, .path = "g", .gid = 7777, .modified = ten},
    };
    static const char *const stories[] = {
        "[0 a 4755 1:0 3]0:abc;", "[1 b->a 0 0:0 0];",  "[2 c->/x 777 0:0 0];", "[3 d 0 0:0 0];",
        "[4 e 0 0:0 0];",         "[5 f/ 1777 0:0 0];", "[6 g 0 0:7777 0];"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(entries); i++)
        assert_written(&entries[i], entries[i].size ? "abc" : NULL, stories[i]);
}

static void test_what_is_too_much_for_ustar_is_said_before(void **state)
{
    const struct tar_xattr xattrs[] = {{"user.a", "1\n2", 3}, {"security.capability", "x", 1}};
    char name[300], link[300];
    struct tar_entry e = {.type = TAR_SYMLINK, .path = name, .link = link};
    (void)state;

    memset(name, 'n', sizeof name - 1);
    memset(link, 'l', sizeof link - 1);
    name[sizeof name - 1] = link[sizeof link - 1] = '\0';
    e.uid = 4000000000;
    e.gid = 2097152;
    e.modified = (struct timespec){1700000000, 5};
    e.xattrs = xattrs;
    e.n_xattrs = COUNT_OF(xattrs);
    AUTO_FREE char *story =
        xasprintf("[2 %s->%s 0 4000000000:2097152 0 @1700000000.000000005 user.a=1\n2 "
                  "security.capability=x];",
                  name, link);
    assert_written(&e, NULL, story);
    name[100] = link[100] = '\0'; /* just as long as the fields */
    AUTO_FREE char *shorter = xasprintf("[2 %s->%s 0 1:2 0 @1700000000.000000000];", name, link);
    e = (struct tar_entry){.type = TAR_SYMLINK, .path = name, .link = link, .uid = 1, .gid = 2};
    e.modified.tv_sec = 1700000000;
    assert_written(&e, NULL, shorter);
}

static void test_a_size_of_many_digits(void **state)
{
    const struct tar_entry e = {.path = "big", .size = UINT64_C(1) << 40};
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    AUTO(tar) *t = tar_new();
    struct error err;
    struct tar_input in;
    (void)state;

    append(&archive, &e, NULL);
    in = (struct tar_input){archive.data, archive.len};
    assert_int_equal(tar_next(t, &in, &err), TAR_ENTRY);
    assert_true(tar_entry(t)->size == UINT64_C(1) << 40);
}

static void test_what_cannot_be_written_is_refused(void **state)
{
    const struct tar_xattr strange = {"user.a=b", "x", 1};
    const struct tar_entry e = {.path = "f", .xattrs = &strange, .n_xattrs = 1};
    AUTO_FINI(buf) archive = BUF(ARCHIVE_MAX);
    struct error err;
    (void)state;

    assert_int_equal(tar_writer_head(&e, &archive, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID);
    assert_int_equal(archive.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_is_read_back),
        cmocka_unit_test(test_what_is_too_much_for_ustar_is_said_before),
        cmocka_unit_test(test_a_size_of_many_digits),
        cmocka_unit_test(test_what_cannot_be_written_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
