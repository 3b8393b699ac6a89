// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "shim/poller.h"

/* relay: carries bytes from one descriptor to another, for the terminals of execs.
 *
 * It reads only when what was read before is written, so its buffer is its limit. */
enum { RELAY_BUFFER_SIZE = 4096 };

struct relay {
    struct poller *poller;
    struct poller_source source; /* whichever of the two it waits for */
    int from;
    int to; /* -1 both: not started, or ended */
    size_t at;
    size_t len;
    char *data;
    void (*ended)(struct relay *r);
};

void relay_init(struct relay *r);

/* Takes both descriptors, on failure too. ended is called once, when from is at its end and all is
 * written, or to takes no more; both are closed by then. */
MUST_CHECK int relay_start(struct relay *r, struct poller *p, int from, int to, struct error *err);
bool relay_is_open(const struct relay *r);

/* True while there is something that to has not taken. */
bool relay_is_behind(const struct relay *r);

/* Closes both; ended is not called. */
void relay_stop(struct relay *r);
