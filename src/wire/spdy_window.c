// SPDX-License-Identifier: Apache-2.0
#include "wire/spdy_window.h"

void spdy_window_init(struct spdy_window *w, int64_t size)
{
    *w = (struct spdy_window){.room = size};
}

bool spdy_window_change(struct spdy_window *w, int64_t by)
{
    if (w->room + by > INT32_MAX)
        return false;
    w->room += by;
    return true;
}

uint32_t spdy_window_take(struct spdy_window *w, size_t len)
{
    uint32_t due;

    w->taken += (uint32_t)len;
    if (w->taken < SPDY_WINDOW_STEP)
        return 0;
    due = w->taken;
    w->taken = 0;
    return due;
}
