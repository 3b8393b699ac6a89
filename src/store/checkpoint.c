// SPDX-License-Identifier: Apache-2.0
#include "store/checkpoint.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/own.h"
#include "os/pool.h"

/* A checkpoint of the passive kind waits for nobody and holds up nobody. What is committed while it
 * runs stays in the log, and then the log does not begin anew: so it looks again at once, as what
 * is left to move is little. */
enum { ROUNDS = 3, AGAIN_PAGES = CHECKPOINT_PAGES / 2 };

struct checkpoint {
    char *path;
    struct pool *pool;
    atomic_bool submitted;
    atomic_int due_pages;
    pthread_mutex_t lock; /* held for a whole checkpoint */
    sqlite3 *handle;      /* NULL until the first */
};

struct checkpoint *checkpoint_new(const char *path, struct pool *pool)
{
    struct checkpoint *c = xcalloc(1, sizeof *c);

    c->path = xstrdup(path);
    c->pool = pool;
    c->due_pages = CHECKPOINT_PAGES;
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void checkpoint_free(struct checkpoint *c)
{
    if (!c)
        return;
    sqlite3_close(c->handle);
    pthread_mutex_destroy(&c->lock);
    free(c->path);
    free(c);
}

/* A connection does not know of the log before it has read. */
static bool open_file(struct checkpoint *c)
{
    if (c->handle)
        return true;
    if (sqlite3_open_v2(c->path, &c->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
            SQLITE_OK &&
        sqlite3_db_config(c->handle, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0) == SQLITE_OK &&
        sqlite3_exec(c->handle,
                     "PRAGMA cache_size = 1; PRAGMA synchronous = NORMAL; PRAGMA user_version",
                     NULL, NULL, NULL) == SQLITE_OK)
        return true;
    log_error("database: open it for a checkpoint: %s", sqlite3_errmsg(c->handle));
    sqlite3_close(TAKE(c->handle));
    return false;
}

/* Returns how long the log is, or 0 when all of it was moved. SQLITE_BUSY is a look at the log at
 * the moment of a commit, and no failure. */
static int move(struct checkpoint *c)
{
    int left = c->due_pages;

    for (int i = 0; i < ROUNDS; i++) {
        int pages = 0, moved = 0;
        int code =
            sqlite3_wal_checkpoint_v2(c->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);

        if (code == SQLITE_OK && moved == pages)
            return 0;
        if (code == SQLITE_OK)
            left = pages;
        else if (code != SQLITE_BUSY) {
            log_error("database: checkpoint: %s", sqlite3_errmsg(c->handle));
            break;
        }
    }
    return left;
}

static void make(struct checkpoint *c)
{
    int left;

    pthread_mutex_lock(&c->lock);
    left = open_file(c) ? move(c) : c->due_pages;
    c->due_pages = left ? left + AGAIN_PAGES : CHECKPOINT_PAGES;
    pthread_mutex_unlock(&c->lock);
}

static void run(void *data)
{
    struct checkpoint *c = data;

    make(c);
    c->submitted = false;
}

void checkpoint_note(struct checkpoint *c, int pages)
{
    if (pages < CHECKPOINT_PAGES)
        c->due_pages = CHECKPOINT_PAGES;
    else if (pages >= CHECKPOINT_PAGES_MAX || (!c->pool && pages >= c->due_pages))
        make(c);
    else if (pages >= c->due_pages && !atomic_exchange(&c->submitted, true))
        pool_submit(c->pool, run, c);
}
