// SPDX-License-Identifier: Apache-2.0
#include "image/image_records.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

#define ID "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static char folder[] = "/tmp/berth-records-XXXXXX";
static struct database *db;

static int open_database(void **state)
{
    AUTO_FREE char *path = NULL;
    struct error err;
    (void)state;

    memset(folder + strlen(folder) - 6, 'X', 6);
    if (!mkdtemp(folder))
        return -1;
    path = xasprintf("%s/test.db", folder);
    db = database_open(path, NULL, &err);
    return db ? 0 : -1;
}

static int close_database(void **state)
{
    struct error err;
    (void)state;

    database_close(db);
    return file_remove_tree(AT_FDCWD, folder, &err);
}

static void store(const char *name, const char *target, uint64_t size)
{
    AUTO(image) *i = image_new(ID);
    const struct image_layer layer = {(char *)"c", (char *)target, size, 10, 1};
    struct error err;

    i->target = xstrdup(target);
    i->manifest = xstrdup(target);
    image_set_config(i, xstrdup("{\"config\":{\"User\":\"1:2\"}}"));
    i->size = size;
    image_add_layer(i, &layer);
    strv_add(&i->names, name);
    assert_int_equal(image_records_store(db, i, &err), 0);
}

static void take(void *data, struct image *taken)
{
    struct image **out = data;

    assert_null(*out); /* there is but one */
    *out = taken;
}

static void test_what_is_stored_comes_back(void **state)
{
    AUTO(image) *i = NULL;
    struct error err;
    (void)state;

    store("r/a:1", "gzip", 5);
    assert_int_equal(image_records_load(db, take, &i, &err), 0);
    assert_string_equal(i->id, ID);
    assert_string_equal(i->user, "1:2");
    assert_int_equal(i->size, 5);
    assert_int_equal(i->n_layers, 1);
    assert_string_equal(i->names.items[0], "r/a:1");
    assert_int_equal(image_records_remove(db, ID, &err), 0);
    image_free(i);
    i = NULL;
    assert_int_equal(image_records_load(db, take, &i, &err), 0);
    assert_null(i);
}

static void test_the_manifest_that_came_last_counts(void **state)
{
    AUTO(image) *i = NULL;
    struct error err;
    (void)state;

    store("r/a:1", "gzip", 5);
    store("r/a:2", "zstd", 3);
    assert_int_equal(image_records_load(db, take, &i, &err), 0);
    assert_string_equal(i->target, "zstd");
    assert_string_equal(i->manifest, "zstd");
    assert_int_equal(i->size, 3);
    assert_int_equal(i->n_layers, 1);
    assert_string_equal(i->layers[0].digest, "zstd");
    assert_int_equal(i->names.len, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_stored_comes_back, open_database,
                                        close_database),
        cmocka_unit_test_setup_teardown(test_the_manifest_that_came_last_counts, open_database,
                                        close_database),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
