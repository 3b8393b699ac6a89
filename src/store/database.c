// SPDX-License-Identifier: Apache-2.0
#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/own.h"
#include "store/checkpoint.h"

/* Steps from version to version; the n-th brings a database of version n to n+1. */
static const char *const migrations[] = {
    "CREATE TABLE images(id TEXT PRIMARY KEY, target TEXT NOT NULL, manifest TEXT NOT NULL,"
    " size INTEGER NOT NULL, config TEXT NOT NULL, pulled_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE image_names(name TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images(id)"
    " ON DELETE CASCADE) WITHOUT ROWID;"
    "CREATE TABLE image_layers(image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,"
    " position INTEGER NOT NULL, chain_id TEXT NOT NULL, digest TEXT NOT NULL,"
    " size INTEGER NOT NULL, used_bytes INTEGER NOT NULL, inodes INTEGER NOT NULL,"
    " PRIMARY KEY(image_id, position)) WITHOUT ROWID;"
    "CREATE TABLE pods(id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, config BLOB NOT NULL,"
    " handler TEXT NOT NULL, runtime TEXT NOT NULL, created_ns INTEGER NOT NULL,"
    " ready INTEGER NOT NULL, boot_id TEXT NOT NULL, shim_pid INTEGER NOT NULL,"
    " shim_start INTEGER NOT NULL, ips TEXT NOT NULL, cni TEXT, updated BLOB) WITHOUT ROWID;"
    "CREATE TABLE containers(id TEXT PRIMARY KEY, pod_id TEXT NOT NULL, name TEXT NOT NULL UNIQUE,"
    " config BLOB NOT NULL, extra TEXT NOT NULL, created_ns INTEGER NOT NULL,"
    " started_ns INTEGER NOT NULL, finished_ns INTEGER NOT NULL, exit_code INTEGER NOT NULL,"
    " pid INTEGER NOT NULL, reason TEXT, message TEXT) WITHOUT ROWID;",
    "ALTER TABLE pods ADD COLUMN runtime_path TEXT NOT NULL DEFAULT '';",
    ("CREATE TABLE left_networks(pod_id TEXT PRIMARY KEY, config BLOB NOT NULL, cni TEXT NOT NULL)"
     " WITHOUT ROWID;"),
};

enum { STATEMENTS_MAX = 64, BUSY_MS = 5000 };

struct database {
    pthread_mutex_t lock;
    sqlite3 *handle;
    char *path;
    struct checkpoint *checkpoint;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } kept[STATEMENTS_MAX];
    size_t n_kept;
};

struct database_row {
    sqlite3_stmt *statement;
};

struct database_value database_as_text(const char *text)
{
    if (!text)
        return (struct database_value){.type = DATABASE_NULL};
    return (struct database_value){.type = DATABASE_TEXT, .data = text, .len = strlen(text)};
}

static int fail(struct database *db, struct error *err, const char *what)
{
    int code = sqlite3_errcode(db->handle);
    bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;

    return error_set(err, damaged ? ERROR_DATA_LOSS : ERROR_INTERNAL, "database: %s: %s", what,
                     sqlite3_errmsg(db->handle));
}

static int execute(struct database *db, const char *sql, struct error *err)
{
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fail(db, err, "prepare the file");
    return 0;
}

static int read_version(void *data, int n, char **values, char **names)
{
    (void)n;
    (void)names;
    *(long *)data = strtol(values[0], NULL, 10);
    return 0;
}

static int migrate(struct database *db, struct error *err)
{
    long version = 0, newest = (long)COUNT_OF(migrations);

    if (sqlite3_exec(db->handle, "PRAGMA user_version", read_version, &version, NULL) != SQLITE_OK)
        return fail(db, err, "read its version");
    if (version > newest)
        return error_set(err, ERROR_PRECONDITION,
                         "the database is of version %ld, made by a newer berthd; this one knows "
                         "up to %ld",
                         version, newest);
    for (; version < newest; version++) {
        AUTO_FREE char *sql = xasprintf("BEGIN; %s PRAGMA user_version = %ld; COMMIT;",
                                        migrations[version], version + 1);

        if (execute(db, sql, err) < 0)
            return -1;
    }
    return 0;
}

/* SQLite calls it after every commit, with the length of its log. */
static int on_commit(void *data, sqlite3 *handle, const char *name, int pages)
{
    struct database *db = data;

    (void)handle;
    (void)name;
    checkpoint_note(db->checkpoint, pages);
    return SQLITE_OK;
}

/* The log must be found after a power cut: its name is on disk before its first commit counts. */
static int sync_folder(const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = slash ? xstrndup(path, (size_t)(slash - path + 1)) : xstrdup(".");
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return error_errno(err, errno, "sync %s", folder);
    return 0;
}

static int open_file(struct database *db, struct error *err)
{
    if (sqlite3_open_v2(db->path, &db->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return fail(db, err, "open");
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    if (execute(db,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                "PRAGMA foreign_keys = ON; PRAGMA cache_size = -256; PRAGMA temp_store = MEMORY;",
                err) < 0 ||
        migrate(db, err) < 0)
        return -1;
    /* In place of the hook by which SQLite would make checkpoints inside a commit. */
    sqlite3_wal_hook(db->handle, on_commit, db);
    return sync_folder(db->path, err);
}

struct database *database_open(const char *path, struct pool *pool, struct error *err)
{
    struct database *db = xcalloc(1, sizeof *db);

    pthread_mutex_init(&db->lock, NULL);
    db->path = xstrdup(path);
    db->checkpoint = checkpoint_new(path, pool);
    if (open_file(db, err) == 0)
        return db;
    error_wrap(err, "%s", path);
    database_close(db);
    return NULL;
}

void database_close(struct database *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->n_kept; i++)
        sqlite3_finalize(db->kept[i].statement);
    /* The last to close moves all of the log into the file, and removes it. */
    checkpoint_free(db->checkpoint);
    sqlite3_close(db->handle);
    pthread_mutex_destroy(&db->lock);
    free(db->path);
    free(db);
}

static sqlite3_stmt *prepare(struct database *db, const char *sql, struct error *err)
{
    sqlite3_stmt *statement = NULL;

    for (size_t i = 0; i < db->n_kept; i++)
        if (db->kept[i].sql == sql)
            return db->kept[i].statement;
    if (db->n_kept == STATEMENTS_MAX) {
        error_set(err, ERROR_INTERNAL, "database: more than %d statements", STATEMENTS_MAX);
        return NULL;
    }
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        fail(db, err, sql);
        return NULL;
    }
    db->kept[db->n_kept].sql = sql;
    db->kept[db->n_kept++].statement = statement;
    return statement;
}

static int bind_one(sqlite3_stmt *statement, int at, const struct database_value *value)
{
    switch (value->type) {
    case DATABASE_INT:
        return sqlite3_bind_int64(statement, at, value->number);
    case DATABASE_TEXT:
        return sqlite3_bind_text64(statement, at, value->data, value->len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case DATABASE_BLOB:
        return sqlite3_bind_blob64(statement, at, value->len ? value->data : "", value->len,
                                   SQLITE_STATIC);
    case DATABASE_NULL:
        break;
    }
    return sqlite3_bind_null(statement, at);
}

/* Runs one statement to its end; each may be NULL. */
static int run_step(struct database *db, const struct database_step *step, database_each *each,
                    void *data, struct error *err)
{
    sqlite3_stmt *statement = prepare(db, step->sql, err);
    struct database_row row = {statement};
    int code = SQLITE_OK, outcome = 0;

    if (!statement)
        return -1;
    for (size_t i = 0; i < step->n_values && code == SQLITE_OK; i++)
        code = bind_one(statement, (int)i + 1, &step->values[i]);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW && each && each(data, &row, err) < 0) {
            outcome = -1;
            break;
        }
    }
    if (outcome == 0 && code != SQLITE_DONE)
        outcome = fail(db, err, step->sql);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return outcome;
}

static int run_all(struct database *db, const struct database_step *steps, size_t n_steps,
                   struct error *err)
{
    static const char begin[] = "BEGIN IMMEDIATE", commit[] = "COMMIT", undo[] = "ROLLBACK";
    struct error ignored;

    if (n_steps == 1)
        return run_step(db, steps, NULL, NULL, err);
    if (run_step(db, &(struct database_step){.sql = begin}, NULL, NULL, err) < 0)
        return -1;
    for (size_t i = 0; i < n_steps; i++) {
        if (run_step(db, &steps[i], NULL, NULL, err) < 0) {
            if (run_step(db, &(struct database_step){.sql = undo}, NULL, NULL, &ignored) < 0)
                error_wrap(err, "could not roll back (%s)", ignored.text);
            return -1;
        }
    }
    return run_step(db, &(struct database_step){.sql = commit}, NULL, NULL, err);
}

int database_run(struct database *db, const struct database_step *steps, size_t n_steps,
                 struct error *err)
{
    int outcome;

    pthread_mutex_lock(&db->lock);
    outcome = run_all(db, steps, n_steps, err);
    pthread_mutex_unlock(&db->lock);
    return outcome;
}

int database_query(struct database *db, const struct database_step *step, database_each *each,
                   void *data, struct error *err)
{
    int outcome;

    pthread_mutex_lock(&db->lock);
    outcome = run_step(db, step, each, data, err);
    pthread_mutex_unlock(&db->lock);
    return outcome;
}

int database_sync(struct database *db, struct error *err)
{
    AUTO_FREE char *path = xasprintf("%s-wal", db->path);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

    /* What is not in the log any more was synced when it was moved into the file. SQLite's locks
     * are on other files, so that closing this one releases none. */
    if (fd < 0 || fdatasync(fd) < 0)
        return error_errno(err, errno, "database: sync %s", path);
    return 0;
}

int64_t database_int(const struct database_row *row, int column)
{
    return sqlite3_column_int64(row->statement, column);
}

const char *database_text(const struct database_row *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row->statement, column);

    return text ? (const char *)text : "";
}

const void *database_blob(const struct database_row *row, int column, size_t *out_len)
{
    const void *data = sqlite3_column_blob(row->statement, column);

    *out_len = (size_t)sqlite3_column_bytes(row->statement, column);
    return data;
}
