// SPDX-License-Identifier: Apache-2.0
#include "wire/tar_header.h"

#include <string.h>

/* Where fields are: offset and length. */
#define NAME     0, 100
#define MODE     100, 8
#define UID      108, 8
#define GID      116, 8
#define SIZE     124, 12
#define MODIFIED 136, 12
#define CHECKSUM 148, 8
#define LINK     157, 100
#define USTAR    257, 5
#define MAGIC    257, 8
#define MAJOR    329, 8
#define MINOR    337, 8
#define PREFIX   345, 155
#define TRAILER  508, 4

/* GNU has times where ustar has the prefix, star a shorter prefix and then times. */
#define GNU_ACCESSED  345, 12
#define GNU_CHANGED   357, 12
#define STAR_PREFIX   345, 131
#define STAR_ACCESSED 476, 12

enum { TYPE_AT = 156, CHECKSUM_AT = 148, CHECKSUM_LEN = 8 };

bool tar_header_is_zero(const uint8_t block[static TAR_BLOCK_SIZE])
{
    static const uint8_t zero[TAR_BLOCK_SIZE];

    return memcmp(block, zero, TAR_BLOCK_SIZE) == 0;
}

/* Big endian, two's complement, the first byte's highest bit being the mark. */
static int base256(const uint8_t *field, size_t len, int64_t *out, struct error *err)
{
    uint8_t fill = field[0] & 0x40 ? 0xff : 0x00;
    uint64_t value = fill ? UINT64_MAX : 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = i == 0 ? (uint8_t)((field[0] & 0x7f) | (fill & 0x80)) : field[i];

        if (len - i > sizeof value && byte != fill)
            return error_set(err, ERROR_INVALID, "a number does not fit 64 bits");
        value = value << 8 | byte;
    }
    if ((value >> 63) != (fill & 1))
        return error_set(err, ERROR_INVALID, "a number does not fit 64 bits");
    *out = (int64_t)value;
    return 0;
}

/* Spaces and NULs may stand on both sides. */
static int octal(const uint8_t *field, size_t len, int64_t *out, struct error *err)
{
    size_t at = 0;
    int64_t value = 0;

    while (at < len && (field[at] == ' ' || field[at] == '\0'))
        at++;
    for (; at < len && field[at] >= '0' && field[at] <= '7'; at++) {
        if (value >> 59)
            return error_set(err, ERROR_INVALID, "a number does not fit 64 bits");
        value = value << 3 | (field[at] - '0');
    }
    /* What stands behind the first NUL is nobody's. */
    if (at < len && field[at] != ' ' && field[at] != '\0')
        return error_set(err, ERROR_INVALID, "a number has the byte 0x%02x in it", field[at]);
    *out = value;
    return 0;
}

int tar_header_number(const uint8_t *field, size_t len, int64_t *out, struct error *err)
{
    return field[0] & 0x80 ? base256(field, len, out, err) : octal(field, len, out, err);
}

static int number(const uint8_t *block, size_t at, size_t len, int64_t *out, struct error *err)
{
    return tar_header_number(block + at, len, out, err);
}

static size_t text_len(const uint8_t *block, size_t at, size_t len)
{
    return strnlen((const char *)block + at, len);
}

static bool is_text(const uint8_t *block, size_t at, size_t len, const char *text)
{
    return memcmp(block + at, text, len) == 0;
}

static void copy_text(char *out, const uint8_t *block, size_t at, size_t len)
{
    size_t n = text_len(block, at, len);

    memcpy(out, block + at, n);
    out[n] = '\0';
}

/* Old writers summed signed bytes. */
static int check_sum(const uint8_t *block, struct error *err)
{
    int64_t plain = 0, with_sign = 0, stated;

    for (size_t i = 0; i < TAR_BLOCK_SIZE; i++) {
        bool inside = i >= CHECKSUM_AT && i < CHECKSUM_AT + CHECKSUM_LEN;
        uint8_t byte = inside ? ' ' : block[i];

        plain += byte;
        with_sign += (int8_t)byte;
    }
    if (number(block, CHECKSUM, &stated, err) < 0 || (stated != plain && stated != with_sign))
        return error_set(err, ERROR_INVALID, "the checksum of a header is wrong");
    return 0;
}

static void put_prefix(struct tar_header *h, const uint8_t *block, size_t at, size_t len)
{
    char name[100 + 1];
    size_t prefix = text_len(block, at, len), name_len = text_len(block, NAME);

    if (prefix == 0)
        return;
    memcpy(name, h->name, name_len + 1);
    memcpy(h->name, block + at, prefix);
    h->name[prefix] = '/';
    memcpy(h->name + prefix + 1, name, name_len + 1);
}

/* Go before 1.8 wrote GNU headers with a ustar prefix, and there are images made by it: when what
 * should be times is no number, it is a prefix. */
static void decode_gnu_times(struct tar_header *h, const uint8_t *block)
{
    struct error ignored;
    int64_t changed;

    if (number(block, GNU_ACCESSED, &h->accessed, &ignored) == 0 &&
        number(block, GNU_CHANGED, &changed, &ignored) == 0)
        return;
    h->accessed = 0;
    put_prefix(h, block, PREFIX);
}

static int decode_dialect(struct tar_header *h, const uint8_t *block, struct error *err)
{
    bool ustar = is_text(block, USTAR, "ustar"), gnu = is_text(block, MAGIC, "ustar  ");

    if (!ustar)
        return 0;
    if ((h->type == '3' || h->type == '4') &&
        (number(block, MAJOR, &h->major, err) < 0 || number(block, MINOR, &h->minor, err) < 0))
        return error_wrap(err, "device number");
    if (gnu && h->type != 'S')
        decode_gnu_times(h, block);
    else if (!gnu && is_text(block, TRAILER, "tar")) {
        put_prefix(h, block, STAR_PREFIX);
        return number(block, STAR_ACCESSED, &h->accessed, err);
    } else if (!gnu)
        put_prefix(h, block, PREFIX);
    return 0;
}

int tar_header_decode(const uint8_t block[static TAR_BLOCK_SIZE], struct tar_header *out,
                      struct error *err)
{
    struct tar_header h = {.type = (char)block[TYPE_AT]};

    if (check_sum(block, err) < 0)
        return -1;
    copy_text(h.name, block, NAME);
    copy_text(h.link, block, LINK);
    if (number(block, MODE, &h.mode, err) < 0 || number(block, UID, &h.uid, err) < 0 ||
        number(block, GID, &h.gid, err) < 0 || number(block, SIZE, &h.size, err) < 0 ||
        number(block, MODIFIED, &h.modified, err) < 0 || decode_dialect(&h, block, err) < 0)
        return error_wrap(err, "header of %s", h.name);
    *out = h;
    return 0;
}
