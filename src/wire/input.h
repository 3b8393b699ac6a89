// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/* input: what is left of the bytes that the caller has received. A parser takes from the front, and
 * may write over what it takes. */
struct input {
    uint8_t *data;
    size_t len;
};
