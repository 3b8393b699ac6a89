// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/own.h"

static char folder[] = "/tmp/berth-database-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/test.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    struct error err;

    (void)state;
    return file_remove_tree(AT_FDCWD, folder, &err);
}

static const char insert_name[] = "INSERT INTO image_names(name, image_id) VALUES(?1, ?2)";
static const char insert_image[] =
    "INSERT INTO images(id, target, manifest, size, config, pulled_ns) VALUES(?1,'t','m',?2,?3,0)";
static const char select_images[] = "SELECT id, size, config FROM images ORDER BY id";

static int count(void *data, const struct database_row *row, struct error *err)
{
    (void)err;
    assert_string_equal(database_text(row, 0), "a");
    assert_int_equal(database_int(row, 1), INT64_MAX);
    assert_string_equal(database_text(row, 2), "{}");
    ++*(int *)data;
    return 0;
}

static void test_what_was_stored_is_there_after_reopening(void **state)
{
    struct error err = {0};
    struct database *db = database_open(path, &err);
    int n = 0;

    (void)state;
    assert_non_null(db);
    assert_int_equal(
        database_run(db,
                     &DATABASE_STEP(insert_image, DB_TEXT("a"), DB_INT(INT64_MAX), DB_TEXT("{}")),
                     1, &err),
        0);
    assert_int_equal(database_sync(db, &err), 0);
    database_close(db);

    db = database_open(path, &err);
    assert_non_null(db);
    assert_int_equal(
        database_query(db, &(struct database_step){.sql = select_images}, count, &n, &err), 0);
    assert_int_equal(n, 1);
    database_close(db);
}

static void test_a_failed_step_undoes_the_whole_transaction(void **state)
{
    struct error err = {0};
    struct database *db = database_open(path, &err);
    struct database_step steps[] = {
        DATABASE_STEP(insert_image, DB_TEXT("b"), DB_INT(1), DB_TEXT("{}")),
        DATABASE_STEP(insert_name, DB_TEXT("n"), DB_TEXT("no such image")),
    };
    int n = 0;

    (void)state;
    assert_non_null(db);
    assert_int_equal(database_run(db, steps, COUNT_OF(steps), &err), -1);
    assert_int_equal(
        database_query(db, &(struct database_step){.sql = select_images}, count, &n, &err), 0);
    assert_int_equal(n, 1); /* only the one of the test before */
    database_close(db);
}

static void test_a_file_that_is_no_database_is_data_loss(void **state)
{
    struct error err = {0};
    char other[80], junk[4096];

    (void)state;
    memset(junk, 'x', sizeof junk);
    snprintf(other, sizeof other, "%s/junk.db", folder);
    assert_int_equal(file_store(AT_FDCWD, other, junk, sizeof junk, 0600, &err), 0);
    assert_null(database_open(other, &err));
    assert_int_equal(err.code, ERROR_DATA_LOSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_stored_is_there_after_reopening),
        cmocka_unit_test(test_a_failed_step_undoes_the_whole_transaction),
        cmocka_unit_test(test_a_file_that_is_no_database_is_data_loss),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
