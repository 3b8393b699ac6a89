// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* log_framer: cuts one output of a container into records of a CRI log.
 *
 * A record is "<time> <stream> <F|P> <content>\n": F for a line or its last piece, P when more of
 * the line follows or the output ended without a newline. One \r before the newline is dropped.
 * A content is at most line_max bytes: exactly that many are one F, one more make P and F.
 *
 * It does no I/O: bytes in, an array of iovecs out, which point into the bytes given, into what
 * was held of earlier ones, and into the heads in the batch. Memory of the caller, one thread. */
enum {
    LOG_FRAMER_LINE_MAX = 1024 * 1024, /* what line_max means when it is 0 or more than this */
    LOG_FRAMER_HEAD_MAX = 64,
    LOG_FRAMER_IOV_MAX = 1024, /* what one writev() takes */
};

struct log_framer {
    size_t line_max;
    char *held; /* the begin of a line; NULL when there is none */
    size_t held_at;
    size_t held_len; /* from held_at */
    size_t held_cap;
};

/* Records to be written. The heads hold for all its records: one time, one stream. */
struct log_batch {
    char full[LOG_FRAMER_HEAD_MAX]; /* "<time> <stream> F " */
    char partial[LOG_FRAMER_HEAD_MAX];
    size_t head_len;
    int n;
    struct iovec iov[LOG_FRAMER_IOV_MAX];
};

void log_framer_init(struct log_framer *f, int64_t line_max);
void log_framer_fini(struct log_framer *f);

/* Empties the batch and sets its heads. */
void log_framer_begin(struct log_batch *b, const char *stream, int64_t now_ns);

/* Takes bytes of data and returns how many. Either the batch has records afterwards, to be
 * written before the next call, or the bytes taken are held; call until all are taken. */
size_t log_framer_push(struct log_framer *f, struct log_batch *b, const char *data, size_t len);

/* The output has ended, or the file is about to change: what is held becomes P. */
void log_framer_flush(struct log_framer *f, struct log_batch *b);
