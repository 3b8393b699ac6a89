// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/own.h"
#include "os/pool.h"
#include "store/checkpoint.h"

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
    struct database *db = database_open(path, NULL, &err);
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

    db = database_open(path, NULL, &err);
    assert_non_null(db);
    assert_int_equal(
        database_query(db, &(struct database_step){.sql = select_images}, count, &n, &err), 0);
    assert_int_equal(n, 1);
    database_close(db);
}

static void test_a_failed_step_undoes_the_whole_transaction(void **state)
{
    struct error err = {0};
    struct database *db = database_open(path, NULL, &err);
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
    assert_null(database_open(other, NULL, &err));
    assert_int_equal(err.code, ERROR_DATA_LOSS);
}

/* --- checkpoints --- */

/* In the place of the C library's, so that it shows who syncs. */
static _Thread_local int syncs;
static _Atomic int all_syncs;

int fdatasync(int fd)
{
    syncs++;
    all_syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    syncs++;
    all_syncs++;
    return (int)syscall(SYS_fsync, fd);
}

static const char replace_image[] =
    "INSERT OR REPLACE INTO images(id, target, manifest, size, config, pulled_ns)"
    " VALUES(?1,'t','m',?2,?3,0)";

/* Commits of about three pages each. */
static void commit_many(struct database *db, int n)
{
    static char config[8000];
    struct error err = {0};

    memset(config, 'c', sizeof config - 1);
    for (int i = 0; i < n; i++)
        assert_int_equal(
            database_run(db,
                         &DATABASE_STEP(replace_image, DB_TEXT("c"), DB_INT(i), DB_TEXT(config)), 1,
                         &err),
            0);
}

static long log_pages(void)
{
    struct stat st;
    char log[80];

    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &st) < 0 ? 0 : st.st_size / 4096;
}

static void test_the_log_does_not_grow_without_bound_and_goes_at_the_end(void **state)
{
    struct error err = {0};
    struct database *db = database_open(path, NULL, &err);

    (void)state;
    assert_non_null(db);
    commit_many(db, 3 * CHECKPOINT_PAGES);
    assert_in_range(log_pages(), CHECKPOINT_PAGES / 2, CHECKPOINT_PAGES + 100);
    database_close(db);
    assert_int_equal(log_pages(), 0);
}

static void test_on_a_pool_checkpoints_are_no_business_of_those_who_commit(void **state)
{
    struct error err = {0};
    struct pool *pool = pool_new(4, &err);
    struct database *db = database_open(path, pool, &err);
    long longest = 0;

    (void)state;
    assert_non_null(db);
    syncs = 0;
    all_syncs = 0;
    for (int i = 0; i < 100; i++) {
        commit_many(db, CHECKPOINT_PAGES / 20);
        longest = log_pages() > longest ? log_pages() : longest;
    }
    pool_free(pool);
    assert_in_range(longest, CHECKPOINT_PAGES, CHECKPOINT_PAGES_MAX + 100);
    assert_true(all_syncs > syncs); /* somebody made them */
    /* The first commit of a log that begins anew syncs its head: 30000 pages in logs of 2000. */
    assert_in_range(syncs, 0, 20);
    database_close(db);
}

static void test_a_sync_is_of_the_log_alone(void **state)
{
    struct error err = {0};
    struct database *db = database_open(path, NULL, &err);

    (void)state;
    assert_non_null(db);
    commit_many(db, 1);
    syncs = 0;
    assert_int_equal(database_sync(db, &err), 0);
    assert_int_equal(syncs, 1);
    database_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_stored_is_there_after_reopening),
        cmocka_unit_test(test_a_failed_step_undoes_the_whole_transaction),
        cmocka_unit_test(test_a_file_that_is_no_database_is_data_loss),
        cmocka_unit_test(test_the_log_does_not_grow_without_bound_and_goes_at_the_end),
        cmocka_unit_test(test_on_a_pool_checkpoints_are_no_business_of_those_who_commit),
        cmocka_unit_test(test_a_sync_is_of_the_log_alone),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
