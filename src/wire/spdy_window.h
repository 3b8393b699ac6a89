// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* spdy_window: the flow control of one stream, or of a whole SPDY session: how much we may send,
 * and how much the client has to be told that we have taken. Memory of its owner. */
enum {
    SPDY_WINDOW_SIZE = 64 * 1024, /* of either end, when nothing else is said */
    SPDY_WINDOW_STEP = 32 * 1024, /* less is not worth a frame */
};

struct spdy_window {
    int64_t room; /* below 0 when the client has made it smaller than what was sent */
    uint32_t taken;
};

void spdy_window_init(struct spdy_window *w, int64_t size);

/* The client makes it larger, or smaller. False when it is larger than can be. */
bool spdy_window_change(struct spdy_window *w, int64_t by);

/* We have taken len bytes. Returns by how much the client's window is to be made larger; 0: it is
 * told later. */
uint32_t spdy_window_take(struct spdy_window *w, size_t len);
