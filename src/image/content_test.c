// SPDX-License-Identifier: Apache-2.0
#include "image/content.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "os/disk_usage.h"

static char root[] = "/tmp/berth-content-XXXXXX";

static char *path_of(const char *hex)
{
    return xasprintf("%s/content/blobs/sha256/%s", root, hex);
}

static void store(const char *hex)
{
    AUTO_FREE char *path = path_of(hex);
    struct error err;

    assert_int_equal(file_store(AT_FDCWD, path, hex, strlen(hex), 0644, &err), 0);
}

static bool is_there(const char *hex)
{
    AUTO_FREE char *path = path_of(hex);

    return file_exists(path);
}

static int make_root(void **state)
{
    AUTO_FREE char *folder = NULL;
    struct error err;
    (void)state;

    memset(root + strlen(root) - 6, 'X', 6);
    if (!mkdtemp(root))
        return -1;
    folder = xasprintf("%s/content/blobs/sha256", root);
    return file_make_dirs(folder, 0755, &err);
}

static int remove_root(void **state)
{
    struct error err;
    (void)state;

    return file_remove_tree(AT_FDCWD, root, &err);
}

static void put(struct image_index *images, const char *id, const char *manifest)
{
    struct image *i = image_new(id);

    i->target = xstrdup("sha256:index");
    i->manifest = xstrdup(manifest);
    image_set_config(i, xstrdup("{}"));
    image_index_put(images, i);
}

static void test_blobs_go_with_the_last_image_that_has_them(void **state)
{
    AUTO(content) *c = content_new(root);
    struct image_index *images = image_index_new();
    (void)state;

    for (const char *const *hex = (const char *const[]){"a", "b", "ma", "mb", "index", "x", NULL};
         *hex; hex++)
        store(*hex);
    put(images, "sha256:a", "sha256:ma");
    put(images, "sha256:b", "sha256:mb");
    content_collect(c, images);
    assert_false(is_there("x"));
    assert_true(is_there("a") && is_there("ma") && is_there("b") && is_there("index"));
    image_free(image_index_remove(images, "sha256:a"));
    content_collect(c, images);
    assert_false(is_there("a") || is_there("ma"));
    assert_true(is_there("b") && is_there("mb") && is_there("index"));
    image_free(image_index_remove(images, "sha256:b"));
    content_collect(c, images);
    assert_false(is_there("b") || is_there("mb") || is_there("index"));
    image_index_free(images);
}

static void test_nothing_goes_while_somebody_fetches(void **state)
{
    AUTO(content) *c = content_new(root);
    struct image_index *images = image_index_new();
    (void)state;

    content_begin_fetch(c);
    store("a");
    content_collect(c, images);
    assert_true(is_there("a"));
    content_end_fetch(c);
    content_collect(c, images);
    assert_false(is_there("a"));
    image_index_free(images);
}

static void test_usage_is_of_now_after_a_change_and_else_remembered(void **state)
{
    AUTO(content) *c = content_new(root);
    struct image_index *images = image_index_new();
    struct disk_usage empty, again, full;
    int64_t at, at_again, at_full;
    (void)state;

    content_usage(c, &empty, &at);
    store("a");
    content_usage(c, &again, &at_again);
    assert_int_equal(again.inodes, empty.inodes);
    assert_int_equal(at_again, at);
    content_begin_fetch(c);
    content_end_fetch(c);
    content_usage(c, &full, &at_full);
    assert_int_equal(full.inodes, empty.inodes + 1);
    assert_true(at_full > at);
    content_collect(c, images);
    content_usage(c, &again, &at_again);
    assert_int_equal(again.inodes, empty.inodes);
    image_index_free(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_blobs_go_with_the_last_image_that_has_them, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_nothing_goes_while_somebody_fetches, make_root,
                                        remove_root),
        cmocka_unit_test_setup_teardown(test_usage_is_of_now_after_a_change_and_else_remembered,
                                        make_root, remove_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
