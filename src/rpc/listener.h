// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <sys/types.h>

#include "base/error.h"

/* rpc_listener: a unix socket that listens, and its name in the file system. One thread. */
struct rpc_listener {
    int fd; /* -1: none */
    char *path;
    dev_t dev;
    ino_t ino;
};

#define RPC_LISTENER_NONE ((struct rpc_listener){.fd = -1})

/* Binds and listens, without blocking in accept later. A socket file that nobody listens on is
 * replaced; ERROR_EXISTS when somebody does or the file is no socket. Makes the folder (0755). */
MUST_CHECK int rpc_listener_open(struct rpc_listener *l, const char *path, mode_t mode,
                                 struct error *err);

/* Removes the socket's file too, if it is still the one that was bound. */
void rpc_listener_close(struct rpc_listener *l);
