// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/poller.h"

/* reaper: every process that ends below the shim, which is their subreaper.
 *
 * Children are those the shim forked, and those that a run of the OCI runtime leaves behind: the
 * first process of a container, the process of an exec. The latter may be gone before the runtime
 * has told their pid, so while somebody expects children the exits of strangers are remembered.
 * As nobody else reaps, a child still has its pid until has_ended: kill(2) cannot hit another
 * process. */
enum { REAPER_EARLY_MAX = 256 };

struct reaper_child {
    struct list link;
    pid_t pid;
    bool has_ended;         /* its pid is nobody's, or somebody else's */
    struct reaper *told_by; /* while it is to be told of its end; else NULL */
    /* status is 0..255 or 128 + signal. The child is already out of the reaper. */
    void (*ended)(struct reaper_child *c, int status, int64_t finished_ns);
};

struct reaper_exit {
    pid_t pid;
    int status;
    int64_t finished_ns;
};

struct reaper {
    struct poller *poller;
    struct poller_source signals; /* signalfd of SIGCHLD */
    struct poller_timer soon;     /* tells of children that had ended before they were adopted */
    struct list children;
    struct list ended; /* adopted after their end, to be told of it */
    size_t expected;
    size_t n_early;
    struct reaper_exit early[REAPER_EARLY_MAX]; /* a ring */
};

/* Blocks SIGCHLD and becomes the subreaper. */
MUST_CHECK int reaper_init(struct reaper *r, struct poller *p, struct error *err);

/* Watches a child that was just forked. */
void reaper_watch(struct reaper *r, struct reaper_child *c, pid_t pid);

/* Between these two, exits of unknown processes are remembered. */
void reaper_expect(struct reaper *r);
void reaper_unexpect(struct reaper *r);

/* Watches a process that a runtime left to us, or is about to, to be called before
 * reaper_unexpect(). When it has already ended, ended is called soon, not from here.
 * ERROR_NOT_FOUND: no such child was here. */
MUST_CHECK int reaper_adopt(struct reaper *r, struct reaper_child *c, pid_t pid, struct error *err);

/* Stops watching. */
void reaper_forget(struct reaper_child *c);

/* From now on it is to that one that the end is told. Only for one that is watched. */
void reaper_move(struct reaper_child *from, struct reaper_child *to);

/* SIGKILL, if it is watched and has not ended. */
void reaper_kill(const struct reaper *r, const struct reaper_child *child);
