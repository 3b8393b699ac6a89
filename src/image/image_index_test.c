// SPDX-License-Identifier: Apache-2.0
#include "image/image_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct image *image(const char *id, const char *name)
{
    struct image *i = image_new(id);

    i->target = xstrdup("t");
    i->manifest = xstrdup("m");
    image_set_config(i, xstrdup("{}"));
    strv_add(&i->names, name);
    return i;
}

static void test_names_of_one_image_add_up(void **state)
{
    struct image_index *x = image_index_new();
    AUTO(image) *found = NULL;

    (void)state;
    image_index_put(x, image("sha256:aa", "r/a:1"));
    image_index_put(x, image("sha256:aa", "r/a:2"));
    found = image_index_find_name(x, "r/a:1");
    assert_non_null(found);
    assert_int_equal(found->names.len, 2);
    image_index_free(x);
}

static void test_a_name_moves_to_the_image_that_was_put_last(void **state)
{
    struct image_index *x = image_index_new();
    AUTO(image) *by_name = NULL, *old = NULL;
    size_t count;

    (void)state;
    image_index_put(x, image("sha256:aa", "r/a:1"));
    image_index_put(x, image("sha256:bb", "r/a:1"));
    by_name = image_index_find_name(x, "r/a:1");
    assert_string_equal(by_name->id, "sha256:bb");
    old = image_index_find_id(x, "aa", &count);
    assert_int_equal(count, 1);
    assert_int_equal(old->names.len, 0);
    image_index_free(x);
}

static void test_ids_are_found_by_their_beginning(void **state)
{
    struct image_index *x = image_index_new();
    AUTO(image) *one = NULL, *removed = NULL;
    size_t count;

    (void)state;
    image_index_put(x, image("sha256:abc1", "r/a:1"));
    image_index_put(x, image("sha256:abd2", "r/b:1"));
    assert_null(image_index_find_id(x, "ab", &count));
    assert_int_equal(count, 2);
    one = image_index_find_id(x, "abc", &count);
    assert_string_equal(one->id, "sha256:abc1");
    assert_null(image_index_find_id(x, "f", &count));
    assert_int_equal(count, 0);
    removed = image_index_remove(x, "sha256:abc1");
    assert_non_null(removed);
    assert_null(image_index_find_name(x, "r/a:1"));
    image_index_free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_one_image_add_up),
        cmocka_unit_test(test_a_name_moves_to_the_image_that_was_put_last),
        cmocka_unit_test(test_ids_are_found_by_their_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
