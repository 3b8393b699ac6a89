// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"

enum { CHUNK_SIZE = 16 * 1024, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t used;
    size_t size;
    _Alignas(ALIGNMENT) char data[];
};

struct arena_deferred {
    struct arena_deferred *next;
    void (*destroy)(void *object);
    void *object;
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

void arena_fini(struct arena *a)
{
    for (struct arena_deferred *d = a->deferred; d; d = d->next)
        d->destroy(d->object);
    a->deferred = NULL;
    while (a->chunks) {
        struct arena_chunk *next = a->chunks->next;

        free(a->chunks);
        a->chunks = next;
    }
    a->used = 0;
}

static void *try_alloc(struct arena *a, size_t size)
{
    size_t rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *chunk = a->chunks;

    if (size > a->max || a->used + rounded > a->max)
        return NULL;
    if (!chunk || chunk->size - chunk->used < rounded) {
        size_t capacity = rounded > CHUNK_SIZE ? rounded : CHUNK_SIZE;

        chunk = xcalloc(1, sizeof *chunk + capacity);
        chunk->size = capacity;
        chunk->next = a->chunks;
        a->chunks = chunk;
    }
    chunk->used += rounded;
    a->used += rounded;
    return chunk->data + chunk->used - rounded;
}

void *arena_alloc(struct arena *a, size_t size)
{
    void *p = try_alloc(a, size);

    if (!p)
        abort();
    return p;
}

char *arena_strdup(struct arena *a, const char *text)
{
    size_t len = strlen(text) + 1;

    return memcpy(arena_alloc(a, len), text, len);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0)
        abort();
    text = arena_alloc(a, (size_t)len + 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
    return text;
}

void arena_defer(struct arena *a, void (*destroy)(void *object), void *object)
{
    struct arena_deferred *d = arena_alloc(a, sizeof *d);

    *d = (struct arena_deferred){a->deferred, destroy, object};
    a->deferred = d;
}

void *arena_new(struct arena *a, const ProtobufCMessageDescriptor *descriptor)
{
    void *message = arena_alloc(a, descriptor->sizeof_message);

    descriptor->message_init(message);
    return message;
}

static void *allocator_alloc(void *data, size_t size)
{
    return try_alloc(data, size);
}

static void allocator_free(void *data, void *p)
{
    (void)data;
    (void)p;
}

ProtobufCMessage *arena_unpack(struct arena *a, const ProtobufCMessageDescriptor *descriptor,
                               const void *data, size_t len, struct error *err)
{
    ProtobufCAllocator allocator = {allocator_alloc, allocator_free, a};
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, len, data);

    if (!message && a->max - a->used < 2 * len + CHUNK_SIZE)
        error_set(err, ERROR_EXHAUSTED, "message of %zu bytes needs too much memory", len);
    else if (!message)
        error_set(err, ERROR_INVALID, "the bytes are no %s", descriptor->name);
    return message;
}
