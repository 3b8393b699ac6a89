// SPDX-License-Identifier: Apache-2.0
#include "oci/utf8.h"

#include <stdint.h>

/* How many bytes follow a first byte, and the lowest character that needs as many; -1 when no
 * character begins with it. */
static int follows(unsigned char first, uint32_t *out_lowest)
{
    static const uint32_t lowest[] = {0, 0x80, 0x800, 0x10000};
    int n = first < 0x80       ? 0
            : first >> 5 == 6  ? 1
            : first >> 4 == 14 ? 2
            : first >> 3 == 30 ? 3
                               : -1;

    if (n >= 0)
        *out_lowest = lowest[n];
    return n;
}

bool oci_utf8_is_valid(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + len;

    while (at < end) {
        uint32_t lowest = 0, c;
        int n = follows(*at, &lowest);

        if (n < 0 || end - at <= n)
            return false;
        c = n ? *at & (0x3Fu >> n) : *at;
        for (at++; n > 0; n--, at++) {
            if (*at >> 6 != 2)
                return false;
            c = c << 6 | (*at & 0x3Fu);
        }
        if (c < lowest || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
            return false;
    }
    return true;
}
