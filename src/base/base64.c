// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#include <string.h>

#include "base/own.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(const void *data, size_t len, char *out)
{
    const uint8_t *in = data;
    char *at = out;

    for (size_t left = len; left; in += 3, left -= left < 3 ? left : 3) {
        uint32_t bits = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0) |
                        (left > 2 ? (uint32_t)in[2] : 0);

        *at++ = ALPHABET[bits >> 18];
        *at++ = ALPHABET[bits >> 12 & 63];
        *at++ = left > 1 ? ALPHABET[bits >> 6 & 63] : '=';
        *at++ = left > 2 ? ALPHABET[bits & 63] : '=';
        if (left <= 3)
            break;
    }
    return (size_t)(at - out);
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* One character; false when it cannot stand there. */
static bool take(struct base64_decoder *d, char c)
{
    int value = digit(c);

    if (c == '=' && d->chars >= 2) {
        d->pads++;
        value = 0;
    } else if (value < 0 || d->pads) {
        return false;
    }
    d->bits = d->bits << 6 | (uint32_t)value;
    d->chars++;
    return true;
}

int base64_decode(struct base64_decoder *d, const char *text, size_t len, uint8_t *out)
{
    uint8_t *at = out;

    for (size_t i = 0; i < len; i++) {
        if (!take(d, text[i]))
            return -1;
        if (d->chars < 4)
            continue;
        for (unsigned n = 0; n < 3 - d->pads; n++)
            *at++ = (uint8_t)(d->bits >> (16 - 8 * n));
        /* After padding nothing may follow: pads stays, and take() refuses. */
        d->chars = 0;
    }
    return (int)(at - out);
}

bool base64_is_whole(const struct base64_decoder *d)
{
    return d->chars == 0;
}

char *base64_encode_text(const void *data, size_t len)
{
    char *out = xmalloc(BASE64_LEN(len) + 1);

    out[base64_encode(data, len, out)] = '\0';
    return out;
}

char *base64_decode_text(const char *text, size_t *out_len)
{
    size_t len = strlen(text);
    AUTO_FREE char *out = xmalloc(len / 4 * 3 + 4);
    struct base64_decoder d = {0};
    int n = base64_decode(&d, text, len, (uint8_t *)out), rest = 0;

    if (n >= 0 && d.chars >= 2 && d.pads == 0)
        rest = base64_decode(&d, "==", 4 - d.chars, (uint8_t *)out + n);
    if (n < 0 || rest < 0 || !base64_is_whole(&d))
        return NULL;
    *out_len = (size_t)n + (size_t)rest;
    out[*out_len] = '\0';
    return TAKE(out);
}
