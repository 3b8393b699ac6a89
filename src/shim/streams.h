// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/console.h"
#include "shim/log_file.h"
#include "shim/output.h"
#include "shim/relay.h"

/* streams: what a process reads and writes, from before it exists until its outputs are at their
 * end. Each of its three is given as text:
 *
 *   ""                    /dev/null
 *   cri-log:///a/path     outputs only: the log file there, the same one for both
 *   hear                  outputs only: read and thrown away, but for those who are attached
 *   fd://N                the N-th descriptor that came with the request
 *   hold                  stdin only: a pipe that the shim holds open until streams_close_in()
 *
 * With a terminal, stdin and stdout are relayed to and from its master, or stdout is logged or
 * heard from it. What is logged or heard goes to those who are attached, too; see attachment.h.
 * Memory of the caller. */
struct streams_spec {
    const char *in;
    const char *out;
    const char *err;
    bool has_terminal;
    int64_t line_max;
    uid_t uid; /* owners of its pipes, so that it can open them anew; 0: as they are made */
    gid_t gid;
    int *fds; /* those that are used are taken: -1 is left */
    size_t n_fds;
};

struct streams {
    struct poller *poller;
    bool has_terminal;
    int child[3]; /* for the process; -1: /dev/null */
    int held;     /* the other end of its stdin */
    int master;
    struct console console;
    struct log_file log;
    struct output outputs[2];
    struct relay relays[2]; /* to the terminal, and from it */
    struct list attachments;
    size_t n_attachments;
    /* Called when the last output has come to its end; not from streams_close(). */
    void (*ended)(struct streams *s);
};

void streams_init(struct streams *s, struct poller *p);

/* Opens everything; when it fails the rest is closed by streams_close(). */
MUST_CHECK int streams_open(struct streams *s, const struct streams_spec *spec, struct error *err);

/* The process exists: lets go of its ends and takes over its terminal. */
MUST_CHECK int streams_started(struct streams *s, struct error *err);

/* False while an output may still say something. */
bool streams_is_drained(const struct streams *s);

/* True while somebody is slow in taking what the process has said. */
bool streams_is_behind(const struct streams *s);

/* True while the disk of its log hangs. */
bool streams_is_stuck(const struct streams *s);

/* The descriptor that fd://N means, now the caller's; -1 with an error for anything else. */
MUST_CHECK int streams_take_passed(const struct streams_spec *spec, const char *text,
                                   struct error *err);

void streams_close_in(struct streams *s);

/* ERROR_PRECONDITION when it has none. */
MUST_CHECK int streams_resize(struct streams *s, unsigned width, unsigned height,
                              struct error *err);
MUST_CHECK int streams_reopen_log(struct streams *s, struct error *err);

/* Writes what is held to the log and closes everything. */
void streams_close(struct streams *s);
