// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "base/error.h"
#include "stream/remote.h"

/* conversation: carries bytes between a client and the pipes of a command, until the command ends
 * or the client leaves. Each of them can make the others wait, and nothing is held without bound.
 */
struct conversation {
    struct remote *remote;
    int in;               /* to the command's stdin; -1: none, or closed */
    int outs[2];          /* from its stdout and stderr; -1: none, or at its end */
    int ended_fd;         /* readable when the command has ended; -1: it ends with its outputs */
    int stop_fd;          /* readable when berthd stops */
    bool ends_with_input; /* the end of the client's stdin is the end of the conversation */
    bool has_outputs;     /* for conversation.c */
    void (*resize)(void *data, const struct remotecommand_size *size);
    void *data;
};

/* Closes all pipes in the end. 0: the command has ended, and all that it wrote is with the mux.
 * ERROR_CANCELLED: the client is gone; ERROR_UNAVAILABLE: berthd stops. */
MUST_CHECK int conversation_run(struct conversation *c, struct error *err);
