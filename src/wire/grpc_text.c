// SPDX-License-Identifier: Apache-2.0
#include "wire/grpc_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/own.h"

enum { DIGITS_MAX = 8 };
static const int64_t TIMEOUT_END = 100000000; /* the first number of nine digits */

/* From fine to coarse. */
static const struct unit {
    char letter;
    int64_t ns;
} UNITS[] = {
    {'n', 1},
    {'u', 1000},
    {'m', CLOCK_NS_PER_MS},
    {'S', CLOCK_NS_PER_S},
    {'M', 60 * CLOCK_NS_PER_S},
    {'H', 3600 * CLOCK_NS_PER_S},
};

static const struct unit *unit_of(char letter)
{
    for (size_t i = 0; i < COUNT_OF(UNITS); i++)
        if (UNITS[i].letter == letter)
            return &UNITS[i];
    return NULL;
}

int grpc_text_parse_timeout(const char *text, int64_t *out_ns, struct error *err)
{
    size_t digits = strspn(text, "0123456789");
    const struct unit *unit = unit_of(text[digits]);
    int64_t value = 0;

    if (digits == 0 || digits > DIGITS_MAX || !unit || text[digits + 1] != '\0')
        return error_set(err, ERROR_INTERNAL, "malformed grpc-timeout \"%.40s\"", text);
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    /* 99999999H is more than an int64_t of nanoseconds holds. */
    *out_ns = value > INT64_MAX / unit->ns ? INT64_MAX : value * unit->ns;
    return 0;
}

void grpc_text_format_timeout(char out[static GRPC_TEXT_TIMEOUT_SIZE], int64_t timeout_ns)
{
    size_t i = 0;
    int64_t value = timeout_ns > 0 ? timeout_ns : 0;

    while (value >= TIMEOUT_END && i + 1 < COUNT_OF(UNITS)) {
        i++;
        value = timeout_ns / UNITS[i].ns + (timeout_ns % UNITS[i].ns != 0);
    }
    snprintf(out, GRPC_TEXT_TIMEOUT_SIZE, "%" PRId64 "%c", value, UNITS[i].letter);
}

void grpc_text_encode(char out[static GRPC_TEXT_MESSAGE_SIZE], const char *text)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = strnlen(text, ERROR_TEXT_MAX - 1);
    char *to = out;

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte >= ' ' && byte <= '~' && byte != '%') {
            *to++ = (char)byte;
        } else {
            *to++ = '%';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
        }
    }
    *to = '\0';
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

void grpc_text_decode(char *text, size_t len)
{
    char *to = text;

    for (size_t i = 0; i < len; i++) {
        int high = text[i] == '%' && len - i > 2 ? hex_value(text[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text[i + 2]) : -1;

        if (low >= 0) {
            *to++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *to++ = text[i];
        }
    }
    *to = '\0';
}
