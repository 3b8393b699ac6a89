// SPDX-License-Identifier: Apache-2.0
#pragma once

/* checkpoint: moves what SQLite has logged into its file, beside those who commit.
 *
 * It syncs the log and then the file, which may take a while: so it is made on a thread of the pool
 * with a connection of its own, and commits go on meanwhile. Where nobody commits for as long as
 * one takes, the log begins anew. Where commits never pause it grows to CHECKPOINT_PAGES_MAX, and
 * then a commit makes the checkpoint itself, behind one that is under way. Owned by its database.
 */
struct checkpoint;
struct pool;

enum {
    CHECKPOINT_PAGES = 2000, /* of 4 KiB: so long is the log when one is due */
    CHECKPOINT_PAGES_MAX = 16000,
};

/* With pool NULL they are made where they are noted to be due. */
struct checkpoint *checkpoint_new(const char *path, struct pool *pool);

/* After the pool. */
void checkpoint_free(struct checkpoint *c);

/* The log has this many pages now. One thread at a time. */
void checkpoint_note(struct checkpoint *c, int pages);
