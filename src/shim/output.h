// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>

#include "shim/log_file.h"
#include "shim/log_framer.h"
#include "shim/poller.h"

/* output: one output of a process, a pipe or a terminal, on its way into the log file and to those
 * who hear it. With a log that is closed it is only heard. */
struct output {
    struct poller *poller;
    struct poller_source source; /* -1: not read, for now */
    int fd;                      /* -1: at its end, or never opened */
    struct log_framer framer;
    struct log_file *log;
    const char *stream; /* stdout or stderr */
    void (*ended)(struct output *o);
    void (*heard)(struct output *o, const char *data, size_t len); /* or NULL */
};

/* The bytes read at once, and their records, are in memory that all outputs share; it is given
 * back to the kernel when there was only little output for a while. */
enum { OUTPUT_READ_MAX = 64 * 1024, OUTPUT_LITTLE = 1024, OUTPUT_QUIET_MS = 1000 };

void output_init(struct output *o, struct log_file *log, const char *stream, int64_t line_max);

/* Takes fd. ended is called once, at its end. */
MUST_CHECK int output_start(struct output *o, struct poller *p, int fd, struct error *err);
bool output_is_open(const struct output *o);

/* Stops reading and goes on; nothing happens when it is not open. While its log is stuck it does
 * not go on. */
void output_pause(struct output *o);
void output_resume(struct output *o);

/* Writes the begin of a line that is held. */
void output_flush(struct output *o);

/* Flushes and closes; ended is not called. */
void output_stop(struct output *o);
