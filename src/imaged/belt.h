// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

#include "base/error.h"
#include "base/own.h"

/* belt: a few buffers that go round between two threads, full one way and empty the other.
 *
 * One thread fills, one empties; what each may call is said below. Owned by the filling one. */
struct belt;

enum { BELT_SLOTS = 4, BELT_SLOT_SIZE = 256 * 1024 };

MUST_CHECK struct belt *belt_new(void);
void belt_free(struct belt *b);
DEFINE_AUTO(belt)

/* The filling thread: BELT_SLOT_SIZE bytes of room, waiting for them; NULL when the other thread
 * has stopped. The same until belt_push(), which hands the first len bytes on. */
char *belt_room(struct belt *b);
void belt_push(struct belt *b, size_t len);

/* The filling thread, once: nothing comes any more. */
void belt_end(struct belt *b);

/* The emptying thread: the next full buffer, waiting for it; NULL at the end. It is the caller's
 * until belt_pop(). */
const char *belt_next(struct belt *b, size_t *out_len);
void belt_pop(struct belt *b);

/* The emptying thread, instead of waiting for the end: it takes nothing any more. */
void belt_stop(struct belt *b);
