// SPDX-License-Identifier: Apache-2.0
#include "image/file_sum.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"

enum { WORD = sizeof(uint64_t), ROOM = 256 * 1024 };

/* 2^64 divided by the golden ratio: neighbours get numbers that have little in common. */
static const uint64_t step = UINT64_C(0x9E3779B97F4A7C15);

static uint64_t weight_of(uint64_t word)
{
    return (word * step) | 1;
}

/* A part of one word. */
static uint64_t sum_of_part(const unsigned char *at, size_t len, uint64_t offset)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < len; i++, offset++)
        sum += ((uint64_t)at[i] << (8 * (offset % WORD))) * weight_of(offset / WORD);
    return sum;
}

uint64_t file_sum_of(const void *bytes, size_t len, uint64_t offset)
{
    const unsigned char *at = bytes;
    size_t head = (WORD - offset % WORD) % WORD;
    uint64_t sum, word, scaled;

    head = head < len ? head : len;
    sum = sum_of_part(at, head, offset);
    at += head;
    len -= head;
    offset += head;
    scaled = offset / WORD * step;
    for (; len >= WORD; at += WORD, len -= WORD, offset += WORD, scaled += step) {
        memcpy(&word, at, WORD);
        sum += le64toh(word) * (scaled | 1);
    }
    return sum + sum_of_part(at, len, offset);
}

/* From one hole to the next, or to the end. */
static int read_piece(int fd, off_t at, off_t end, char *room, uint64_t *sum, struct error *err)
{
    while (at < end) {
        ssize_t n = pread(fd, room, end - at < ROOM ? (size_t)(end - at) : ROOM, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, errno, "read");
        if (n == 0)
            return 0;
        *sum += file_sum_of(room, (size_t)n, (uint64_t)at);
        at += n;
    }
    return 0;
}

int file_sum_read(int fd, uint64_t *out, struct error *err)
{
    AUTO_FREE char *room = xmalloc(ROOM);
    uint64_t sum = 0;
    off_t at = 0, end;

    while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
        end = lseek(fd, at, SEEK_HOLE);
        if (end < 0)
            return error_errno(err, errno, "look for a hole");
        if (read_piece(fd, at, end, room, &sum, err) < 0)
            return -1;
        at = end;
    }
    if (errno != ENXIO)
        return error_errno(err, errno, "look for data");
    *out = sum;
    return 0;
}
