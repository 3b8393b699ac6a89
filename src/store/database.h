// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* database: the node's records in one SQLite file, readable with the sqlite3 shell.
 *
 * Write-ahead logging with synchronous=NORMAL: a commit is one write without fsync, but for the
 * first behind a checkpoint (store/checkpoint.h), which syncs one page. A killed daemon loses
 * nothing; after a power cut the database is consistent and may lack the last commits, which is why
 * image records are written with database_sync(). One lock inside: any thread. On disk:
 * <root>/berth.db and, while it is open, berth.db-wal and berth.db-shm. */
struct database;
struct pool;

struct database_value {
    enum { DATABASE_NULL, DATABASE_INT, DATABASE_TEXT, DATABASE_BLOB } type;
    int64_t number;
    const void *data; /* not copied: it must live until the call returns */
    size_t len;
};

#define DB_INT(n)     ((struct database_value){.type = DATABASE_INT, .number = (n)})
#define DB_BLOB(p, n) ((struct database_value){.type = DATABASE_BLOB, .data = (p), .len = (n)})
/* NULL text is stored as NULL. */
#define DB_TEXT(text) database_as_text(text)
struct database_value database_as_text(const char *text);

/* One row of an answer, while its callback runs. Columns count from 0. */
struct database_row;
int64_t database_int(const struct database_row *row, int column);
const char *database_text(const struct database_row *row, int column); /* "" for NULL */
const void *database_blob(const struct database_row *row, int column, size_t *out_len);

typedef int database_each(void *data, const struct database_row *row, struct error *err);

/* One statement of a transaction. */
struct database_step {
    const char *sql; /* a string constant: prepared once and kept by its address */
    const struct database_value *values;
    size_t n_values;
};

/* Opens or creates the file and brings its tables up to date. ERROR_DATA_LOSS when it is damaged.
 * Checkpoints are made on the pool, which must be gone before the database is closed; with NULL,
 * inside commits. */
MUST_CHECK struct database *database_open(const char *path, struct pool *pool, struct error *err);
void database_close(struct database *db);

/* Runs the steps in one transaction: all or none. */
MUST_CHECK int database_run(struct database *db, const struct database_step *steps, size_t n_steps,
                            struct error *err);

/* Calls each for every row; stops when it returns -1, with its error. each must not use db. */
MUST_CHECK int database_query(struct database *db, const struct database_step *step,
                              database_each *each, void *data, struct error *err);

/* Makes all commits so far survive a power cut. Nobody else waits for it. */
MUST_CHECK int database_sync(struct database *db, struct error *err);

/* DATABASE_STEP("DELETE FROM pods WHERE id = ?1", DB_TEXT(id)) */
#define DATABASE_STEP(sql_, ...)                                                                   \
    ((struct database_step){.sql = (sql_),                                                         \
                            .values = (const struct database_value[]){__VA_ARGS__},                \
                            .n_values = sizeof((const struct database_value[]){__VA_ARGS__}) /     \
                                        sizeof(struct database_value)})
