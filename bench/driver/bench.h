// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* bench: what the command line asks for.
 *
 * Each verb is one kind of work on a runtime, named by its CRI socket; it prints what it measured
 * as one line of JSON per series. Set once, before anything else. */
struct bench {
    const char *socket;
    const char *image;
    const char *logs; /* log directories of pods are made below */
    const char *cgroup_parent;
    const char *prefix; /* of pods' names */
    int rounds;
    int at_once; /* threads, a connection each */
    int seconds;
    pid_t daemon;
    bool host_network;
};

/* rounds pods are made and removed: bench_pods.c */
MUST_CHECK int bench_pods(const struct bench *b, struct error *err);
MUST_CHECK int bench_fill(const struct bench *b, struct error *err);  /* they stay */
MUST_CHECK int bench_clear(const struct bench *b, struct error *err); /* all pods go */

/* bench_calls.c */
MUST_CHECK int bench_exec(const struct bench *b, struct error *err);
MUST_CHECK int bench_queries(const struct bench *b, struct error *err);

/* Waits for a runtime that is about to start, until it lists rounds pods. Prints the time of the
 * answer, by CLOCK_MONOTONIC. */
MUST_CHECK int bench_answer(const struct bench *b, struct error *err);

/* Exec and its stream: bench_stream.c */
MUST_CHECK int bench_stream(const struct bench *b, struct error *err);

/* at_once pulls of the image: bench_pull.c */
MUST_CHECK int bench_pull(const struct bench *b, struct error *err);

/* bench_log.c */
MUST_CHECK int bench_log(const struct bench *b, struct error *err);

/* Of the daemon and of the processes that watch containers: bench_memory.c */
MUST_CHECK int bench_memory(const struct bench *b, struct error *err);
MUST_CHECK int bench_idle(const struct bench *b, struct error *err);
