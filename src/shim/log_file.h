// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/error.h"

/* log_file: the CRI log file of one container, appended to by both of its outputs.
 *
 * Writing never fails and never waits for room: what a full disk does not take is thrown away and
 * counted, so that the container goes on. Memory of the caller. */
struct log_file {
    char *path; /* NULL: closed */
    int fd;
    bool is_torn; /* the last record was written in part */
    uint64_t lost_bytes;
};

#define LOG_FILE_NONE ((struct log_file){.fd = -1})

/* Creates the folders above (0755) and the file (0640). */
MUST_CHECK int log_file_open(struct log_file *f, const char *path, struct error *err);
void log_file_close(struct log_file *f);

/* Opens the path anew and closes the old file; when it fails nothing has changed. finish is called
 * in between, to write what still belongs into the old one. */
MUST_CHECK int log_file_reopen(struct log_file *f, void (*finish)(void *data), void *data,
                               struct error *err);

/* Whole records. The iovecs are used up. */
void log_file_write(struct log_file *f, struct iovec *iov, int n);
