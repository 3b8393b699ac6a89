// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* fd_message: messages with descriptors between two processes of ours, over a socket that keeps the
 * bounds of messages (SOCK_SEQPACKET). Any thread. */
enum { FD_MESSAGE_FDS_MAX = 4 };

/* Sends at least one byte with copies of the descriptors. Does not wait for room: ERROR_EXHAUSTED
 * or what the peer's end makes of it. */
MUST_CHECK int fd_message_send(int socket, const void *data, size_t len, const int *fds,
                               size_t n_fds, struct error *err);

/* Waits for a message and returns its length; 0 is the peer's end. out_fds has room for max_fds and
 * gets those that came, closed on exec, and -1 behind them; more than max_fds are an error. */
MUST_CHECK ssize_t fd_message_receive(int socket, void *data, size_t size, int *out_fds,
                                      size_t max_fds, struct error *err);
