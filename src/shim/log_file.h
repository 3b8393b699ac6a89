// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/error.h"

/* log_file: the CRI log file of one container, appended to by both of its outputs.
 *
 * Writing never fails: what a full disk does not take is thrown away and counted, so that the
 * container goes on. A disk that hangs is waited for beside, see offload.h: until it has taken what
 * it was given the log is stuck, and who writes to it is to pause. Memory of the caller. */
struct log_write;

struct log_file {
    char *path; /* NULL: closed */
    int fd;
    bool is_torn; /* the last record was written in part */
    uint64_t lost_bytes;
    struct log_write *late; /* NULL: it is not stuck */
    struct buf backlog;     /* what came while it was */
    /* It is not stuck any more; or NULL. */
    void (*resumed)(struct log_file *f);
};

/* No more than that is kept of what comes while it is stuck: what was read before the pause. */
enum { LOG_FILE_BACKLOG_MAX = 4 * 1024 * 1024 };

#define LOG_FILE_NONE ((struct log_file){.fd = -1, .backlog = BUF(LOG_FILE_BACKLOG_MAX)})

/* Creates the folders above (0755) and the file (0640). ERROR_DEADLINE when the disk hangs. */
MUST_CHECK int log_file_open(struct log_file *f, const char *path, struct error *err);

/* What a stuck one was given is still written when the disk goes on. */
void log_file_close(struct log_file *f);

/* Opens the path anew and closes the old file; when it fails nothing has changed. finish is called
 * in between, to write what still belongs into the old one. ERROR_DEADLINE while the disk hangs. */
MUST_CHECK int log_file_reopen(struct log_file *f, void (*finish)(void *data), void *data,
                               struct error *err);

/* Whole records. */
void log_file_write(struct log_file *f, const struct iovec *iov, int n);
bool log_file_is_stuck(const struct log_file *f);

/* Gives memory back that only much output needs. */
void log_file_give_back(void);
