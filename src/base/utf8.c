// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <stdint.h>
#include <string.h>

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

/* The length of the character that text begins with; 0 when it begins with none. */
static size_t character(const unsigned char *at, size_t len)
{
    uint32_t lowest = 0, c;
    int n = follows(*at, &lowest);

    if (n < 0 || len <= (size_t)n)
        return 0;
    c = n ? *at & (0x3Fu >> n) : *at;
    for (int i = 1; i <= n; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        c = c << 6 | (at[i] & 0x3Fu);
    }
    return c < lowest || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000) ? 0 : (size_t)n + 1;
}

bool utf8_is_valid(const char *text, size_t len)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n;

    for (; len > 0; at += n, len -= n)
        if ((n = character(at, len)) == 0)
            return false;
    return true;
}

void utf8_mend(char *text)
{
    size_t len = strlen(text), n;

    for (; len > 0; text += n, len -= n) {
        n = character((const unsigned char *)text, len);
        if (n == 0) {
            *text = '?';
            n = 1;
        }
    }
}
