// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/own.h"

/* log_file: a log file that grows, and may be renamed or cut short by whoever rotates it.
 *
 * Read until there is nothing more, wait, read again. After a rotation the old file is read to its
 * end before the new one. One thread at a time. */
struct log_file;

/* ERROR_NOT_FOUND when there is no such file. */
MUST_CHECK struct log_file *log_file_open(const char *path, struct error *err);
void log_file_free(struct log_file *f);
DEFINE_AUTO(log_file)

/* Leaves out all but the last lines of the file as it is now. */
MUST_CHECK int log_file_skip(struct log_file *f, int64_t lines, struct error *err);

/* Returns how many bytes came, 0 when there are no more at present, or -1. */
MUST_CHECK ssize_t log_file_read(struct log_file *f, char *data, size_t size, struct error *err);

/* Sleeps until something happens in the file's folder, or cancel_fd (-1: none) is readable, or
 * timeout_ms have passed. */
void log_file_wait(struct log_file *f, int cancel_fd, int timeout_ms);
