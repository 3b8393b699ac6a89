// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* call_filter: the system calls that a process of ours which strangers talk to does, and no others
 * (seccomp).
 *
 * In every filter are memory, time, threads but no processes, reading files, and what is done with
 * descriptors that are open. A call that is in none of the lists ends the process. Wants
 * no_new_privs (privilege.h); holds for all threads, and there is no way back. */
struct call_filter {
    const int *calls; /* beside those of every filter */
    size_t n_calls;
    const uint32_t *families; /* of the sockets that may be made */
    size_t n_families;

    /* Tells which call ended the process, by its name or its number. In a signal handler: no more
     * than write(). */
    void (*refused)(const char *call);
};

MUST_CHECK int call_filter_enter(const struct call_filter *f, struct error *err);

/* Puts text behind what is in a line of that size, and returns where it ends. For refused(). */
size_t call_filter_append(char *line, size_t size, size_t from, const char *text);
