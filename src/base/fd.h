// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* fd: file descriptors with one owner. -1 is "none". All are opened O_CLOEXEC. Any thread. */

#define AUTO_CLOSE __attribute__((cleanup(fd_auto)))

void fd_auto(int *fd);

/* Closes *fd if it is open and sets it to -1; errno is kept. */
void fd_close(int *fd);

/* Moves the descriptor out of *fd. */
int fd_take(int *fd);

/* Writes all of data, through short writes and EINTR. */
MUST_CHECK int fd_write_all(int fd, const void *data, size_t len, struct error *err);

/* Reads until len bytes or end of file; returns the number of bytes, or -1. */
MUST_CHECK ssize_t fd_read_full(int fd, void *data, size_t len, struct error *err);

MUST_CHECK int fd_set_nonblocking(int fd, struct error *err);
