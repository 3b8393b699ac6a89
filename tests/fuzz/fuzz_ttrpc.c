// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/own.h"
#include "ttrpc.pb-c.h"
#include "wire/ttrpc.h"

enum { ARENA_MAX = 1024 * 1024 };

/* What a frame says is read as both kinds of envelope. */
static void read_frame(const struct ttrpc_frame *frame)
{
    struct ttrpc_frame small = {
        .stream = frame->stream, .type = frame->type, .flags = frame->flags, .len = 1};
    uint8_t header[TTRPC_HEADER_SIZE];
    AUTO_FINI(arena) arena;
    struct error err;

    arena_init(&arena, ARENA_MAX);
    ttrpc_encode_header(header, &small);
    assert(header[8] == frame->type && header[9] == frame->flags);
    if (frame->is_oversized) {
        assert(!frame->data && frame->len > TTRPC_DATA_MAX);
        return;
    }
    if (arena_unpack(&arena, &ttrpc__request__descriptor, frame->data, frame->len, &err))
        assert(arena.used > 0);
    if (arena_unpack(&arena, &ttrpc__response__descriptor, frame->data, frame->len, &err))
        assert(arena.used > 0);
}

/* The first byte says how large the portions are; a larger portion gives the same frames. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t step = size > 0 ? data[0] + 1U : 1, n = 0, n_at_once = 0;
    struct ttrpc_decoder d;
    struct ttrpc_frame frame;
    struct error err;

    if (size <= 1 || size > TTRPC_FEED_MAX)
        return 0;
    ttrpc_decoder_init(&d);
    for (size_t at = 1; at < size; at += step) {
        if (ttrpc_decoder_feed(&d, data + at, size - at < step ? size - at : step, &err) < 0)
            assert(0);
        for (; ttrpc_decoder_next(&d, &frame); n++)
            read_frame(&frame);
    }
    ttrpc_decoder_fini(&d);
    ttrpc_decoder_init(&d);
    if (ttrpc_decoder_feed(&d, data + 1, size - 1, &err) < 0)
        assert(0);
    while (ttrpc_decoder_next(&d, &frame))
        n_at_once++;
    ttrpc_decoder_fini(&d);
    assert(n == n_at_once);
    return 0;
}
