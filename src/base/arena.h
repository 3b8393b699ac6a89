// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "base/error.h"

/* arena: memory that is freed all at once, for what belongs to one request.
 *
 * It hands out zero-filled memory from chunks and never frees a piece. It cannot be made without
 * a maximum; arena_alloc() past it aborts, so sizes from outside are checked first, while
 * message_unpack() past it fails. Memory of the caller; one thread at a time. */
struct arena_chunk;
struct arena_deferred;
struct arena {
    struct arena_chunk *chunks;
    struct arena_deferred *deferred;
    size_t used; /* bytes handed out */
    size_t max;
};

void arena_init(struct arena *a, size_t max);
void arena_fini(struct arena *a);

void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Calls destroy(object) in arena_fini(), last deferred first: so a message may point into objects
 * whose references it keeps. */
void arena_defer(struct arena *a, void (*destroy)(void *object), void *object);

/* A message of that type with its defaults, such as
 * Runtime__V1__Image *image = arena_new(a, &runtime__v1__image__descriptor); */
void *arena_new(struct arena *a, const ProtobufCMessageDescriptor *descriptor);

/* Unpacks bytes into the arena: nothing to free. NULL with ERROR_INVALID when they are no such
 * message, ERROR_EXHAUSTED when the arena is too small for it. */
MUST_CHECK ProtobufCMessage *arena_unpack(struct arena *a,
                                          const ProtobufCMessageDescriptor *descriptor,
                                          const void *data, size_t len, struct error *err);
