// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* exit_record: how a container ended, on disk.
 *
 * The shim stores it once, before it tells anyone; the daemon loads it when it is told, or when it
 * comes back from a restart. A file <id> in the folder of exit records, "<status> <finished> <oom>"
 * and a newline. It appears whole, by rename from a name that begins with a dot, so a reader finds
 * a complete record or none. Any thread. */
struct exit_record {
    int status;          /* 0..255; 128 + signal when one ended it */
    int64_t finished_ns; /* clock_now_ns() */
    bool oom_killed;
};

/* id is a file name: no slash, no leading dot. Replaces a record that is there. Nothing is synced:
 * neither the container nor the folder outlives the kernel. */
MUST_CHECK int exit_record_store(int dirfd, const char *id, const struct exit_record *record,
                                 struct error *err);

/* ERROR_NOT_FOUND: the container has not ended. ERROR_INTERNAL: the file is not a record. */
MUST_CHECK int exit_record_load(int dirfd, const char *id, struct exit_record *out,
                                struct error *err);
