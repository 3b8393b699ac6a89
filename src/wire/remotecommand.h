// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "wire/upgrade.h"

/* remotecommand: what exec and attach say over SPDY or WebSocket, whichever it is: the names and
 * numbers of their streams, sizes of terminals, how it ended. Any thread. */

/* The numbers are those of the WebSocket channels. */
enum remotecommand_stream {
    REMOTECOMMAND_STDIN,
    REMOTECOMMAND_STDOUT,
    REMOTECOMMAND_STDERR,
    REMOTECOMMAND_ERROR,
    REMOTECOMMAND_RESIZE,
    REMOTECOMMAND_STREAMS,
};

/* The version of a protocol that was chosen. */
enum {
    REMOTECOMMAND_V1 = 1, /* also no protocol at all */
    REMOTECOMMAND_V2 = 2, /* stdin is closed properly */
    REMOTECOMMAND_V3 = 3, /* has the resize stream; so have all over WebSocket */
    REMOTECOMMAND_V4 = 4, /* the end is told as JSON */
    REMOTECOMMAND_V5 = 5, /* WebSocket only: channels can be closed */
};

/* For upgrade_answer(). */
extern const struct upgrade_protocols remotecommand_protocols;

int remotecommand_version(const char *protocol);

/* By the value of the header "streamtype"; NULL is none. -1 when there is no such stream. */
int remotecommand_stream_find(const char *streamtype);

/* Terminal sizes from bytes in any portions: JSON documents such as {"Width":80,"Height":24}, one
 * behind the other. Memory of the caller. */
enum { REMOTECOMMAND_RESIZE_MAX = 1024 }; /* one document */

struct remotecommand_resizes {
    struct buf text;
    size_t depth;
    bool in_string;
    bool is_escaped;
};

struct remotecommand_size {
    uint16_t width;
    uint16_t height;
};

void remotecommand_resizes_init(struct remotecommand_resizes *r);
void remotecommand_resizes_fini(struct remotecommand_resizes *r);

/* Takes all bytes. 1: out is the last size among them; 0: there is none; -1: this is no JSON or too
 * long. Sizes with a zero in them are left out. */
MUST_CHECK int remotecommand_resizes_feed(struct remotecommand_resizes *r, const void *data,
                                          size_t len, struct remotecommand_size *out,
                                          struct error *err);

/* How it ended. */
struct remotecommand_end {
    const struct error *failure; /* NULL: the command ran and exit_code tells the rest */
    int exit_code;
    char *const *command; /* for the words about an exit code */
    size_t n_command;
};

/* What is to be written to the error stream; "" is nothing. The caller frees. */
MUST_CHECK char *remotecommand_status(int version, const struct remotecommand_end *end);
