// SPDX-License-Identifier: Apache-2.0
#include "base/id.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void id_new(char out[static ID_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[ID_LEN / 2];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        abort();
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[ID_LEN] = '\0';
}

bool id_is_valid(const char *text)
{
    return strlen(text) == ID_LEN && strspn(text, "0123456789abcdef") == ID_LEN;
}
