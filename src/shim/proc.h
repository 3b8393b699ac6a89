// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "shim/call.h"
#include "shim/reaper.h"
#include "shim/streams.h"

/* proc: one process that was asked for: the first of a container, or that of an exec.
 *
 * It has ended when the reaper says so; it is stopped when everything that follows from that is
 * done too: only then do those who wait for it hear of it. */
enum proc_state {
    PROC_NEW,      /* an exec that was not started */
    PROC_STARTING, /* the OCI runtime is making it */
    PROC_CREATED,  /* a container that was not started */
    PROC_RUNNING,
    PROC_PAUSED,
    PROC_ENDED,
    PROC_STOPPED,
};

enum { PROC_ID_MAX = 128 };

struct proc {
    char *id;
    enum proc_state state;
    struct reaper_child child; /* child.pid is 0 until there is one */
    struct streams io;
    char *in, *out, *err; /* as the client named them */
    int status;           /* 0..255, or 128 + signal */
    int64_t finished_ns;
    struct list waiters; /* struct call */
};

void proc_init(struct proc *p, const char *id, struct poller *poller);
void proc_fini(struct proc *p);

/* An id is letters, digits, "-", "_" and ".", no dot in front: it becomes part of file names. */
MUST_CHECK int proc_check_id(const char *id, struct error *err);

/* Opens its stdio and remembers its names. */
MUST_CHECK int proc_open_stdio(struct proc *p, const struct streams_spec *spec, struct error *err);

/* The runtime has made it: reads its pid from the file, which is removed, and watches it. */
MUST_CHECK int proc_adopt(struct proc *p, struct reaper *r, const char *pid_file,
                          struct error *err);

bool proc_is_alive(const struct proc *p);

/* ERROR_NOT_FOUND "process already finished", ERROR_PRECONDITION when it was never started. */
MUST_CHECK int proc_signal(const struct proc *p, int signal, struct error *err);

/* Notes how it ended. */
void proc_set_ended(struct proc *p, int status, int64_t finished_ns);

/* It is stopped: answers those who wait. */
void proc_publish(struct proc *p);

/* Answers a Wait, now or when it is stopped. */
void proc_wait(struct proc *p, struct call *call);

/* "running" and so on, for sentences. */
const char *proc_state_name(enum proc_state state);
