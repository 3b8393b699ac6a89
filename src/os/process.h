// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "os/deadline.h"

/* process: children of ours, started without copying our memory and watched by pidfd.
 *
 * Whoever starts one must wait for it. Any thread. */
struct process_spec {
    const char *const *argv; /* argv[0] is a path, never searched */
    const char *program;     /* the path instead of argv[0]; NULL: that */
    const char *const *env;  /* NULL: ours */
    const char *cwd;         /* NULL: ours */
    int stdio[3];            /* descriptors to become 0, 1, 2; -1: /dev/null */
    int extra_fd;            /* becomes 3 in the child; -1: none */
    bool own_session;        /* setsid() */
    bool dies_with_us;       /* SIGKILL when the thread that started it ends: only for short runs */
};

#define PROCESS_SPEC(argv_)                                                                        \
    ((struct process_spec){.argv = (argv_), .stdio = {-1, -1, -1}, .extra_fd = -1})

struct process {
    pid_t pid;
    int pidfd;
};

/* Returns once the program runs; "no such file" and the like are its failures. */
MUST_CHECK int process_start(const struct process_spec *spec, struct process *out,
                             struct error *err);

/* Waits for the end; out_status is 0..255 or 128 + signal. At the deadline the process is still
 * ours: kill it or wait again. Closes pidfd on success. */
MUST_CHECK int process_wait(struct process *p, const struct deadline *by, int *out_status,
                            struct error *err);

/* SIGKILL, wait, close; nothing happens when pidfd is -1. */
void process_kill(struct process *p);

/* Runs a program to its end with input on its standard input, and collects what it writes, up to
 * the maxima of out and err_out (NULL: thrown away). Killed at the deadline. */
struct process_io {
    const void *input;
    size_t input_len;
    struct buf *out;
    struct buf *err_out;
};
MUST_CHECK int process_run(const struct process_spec *spec, struct process_io *io,
                           const struct deadline *by, int *out_status, struct error *err);
