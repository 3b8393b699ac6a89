// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "wire/tar.h"

enum { CHECKSUM = 148, CHECKSUM_LEN = 8, MAGIC = 257, STEP_MASK = 0x3ff };

/* Without right checksums nothing gets past the first header. */
static void repair(uint8_t *data, size_t len)
{
    for (size_t at = 0; at + TAR_BLOCK_SIZE <= len; at += TAR_BLOCK_SIZE) {
        uint8_t *block = data + at;
        unsigned sum = 0;
        char text[16];

        if (memcmp(block + MAGIC, "ustar", 5) != 0)
            continue;
        memset(block + CHECKSUM, ' ', CHECKSUM_LEN);
        for (size_t i = 0; i < TAR_BLOCK_SIZE; i++)
            sum += block[i];
        snprintf(text, sizeof text, "%06o", sum);
        memcpy(block + CHECKSUM, text, 7);
    }
}

static void check_entry(const struct tar_entry *e)
{
    assert(e->type <= TAR_FIFO && e->mode <= 07777);
    assert(strlen(e->path) <= TAR_PATH_MAX && strlen(e->link) <= TAR_PATH_MAX);
    assert(e->n_xattrs <= TAR_XATTRS_MAX && (e->type == TAR_FILE || e->size == 0));
    for (size_t i = 0; i < e->n_xattrs; i++)
        assert(strlen(e->xattrs[i].name) <= TAR_XATTR_NAME_MAX && e->xattrs[i].value);
}

static int read_step(struct tar *t, struct tar_input in, uint64_t *end)
{
    struct error err;
    int event;

    while ((event = tar_next(t, &in, &err)) > TAR_MORE) {
        const struct tar_chunk *c = tar_chunk(t);

        if (event == TAR_ENTRY) {
            check_entry(tar_entry(t));
            *end = 0;
        }
        if (event == TAR_DATA) {
            assert(c->offset >= *end && c->len > 0 && c->offset + c->len <= tar_entry(t)->size);
            *end = c->offset + c->len;
        }
    }
    assert(event < 0 || in.len == 0);
    return event;
}

/* The first two bytes say how many come at once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t step = len < 2 ? 1 : 1 + ((size_t)(data[0] | data[1] << 8) & STEP_MASK);
    AUTO_FREE uint8_t *copy = NULL;
    AUTO(tar) *t = NULL;
    uint64_t end = 0;
    struct error err;

    if (len <= 2)
        return 0;
    len -= 2;
    copy = xmemdup(data + 2, len);
    repair(copy, len);
    t = tar_new();
    for (size_t at = 0; at < len; at += step) {
        struct tar_input in = {copy + at, len - at < step ? len - at : step};

        if (read_step(t, in, &end) < 0)
            return 0;
    }
    if (tar_finish(t, &err) < 0)
        return 0;
    return 0;
}
