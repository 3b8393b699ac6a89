// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/error.h"
#include "imaged/endpoint.h"

/* walk: asking hosts one after the other, and which of their failures to tell in the end: the first
 * of the gravest kind. Memory of the caller, zero-initialised; of one thread. */
enum walk_gravity { WALK_NOTHING, WALK_UNREACHED, WALK_NOT_FOUND, WALK_REFUSED, WALK_TOO_LARGE };

struct walk {
    enum walk_gravity gravity;
    struct error first;
    bool unreachable; /* the failure to tell is that a host could not be connected to */
};

/* Notes a failure. status is that of the answer, 0 when there was none. Returns -1 when there is no
 * point in asking others: then err is the failure to tell. */
MUST_CHECK int walk_note(struct walk *w, enum http_fault fault, int status, struct error *err);

/* After the last host: always -1, with the failure in err. what was wanted from hosts of which
 * there were none. */
int walk_end(const struct walk *w, const char *what, struct error *err);
