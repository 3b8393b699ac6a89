// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "ctl/log_parser.h"

/* Pieces of any size give the same output; the first byte chooses the size. */
static void collect(void *data, bool is_stderr, const char *text, size_t len)
{
    struct error err;
    struct buf *out = data;

    assert(len > 0);
    assert(buf_append(&out[is_stderr], text, len, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole[2] = {BUF(1 << 24), BUF(1 << 24)}, pieces[2] = {BUF(1 << 24), BUF(1 << 24)};
    struct log_parser at_once = {0}, in_pieces = {0};
    size_t piece = size ? data[0] % 80 + 1 : 1;

    log_parser_feed(&at_once, (const char *)data, size, collect, whole);
    for (size_t at = 0; at < size; at += piece)
        log_parser_feed(&in_pieces, (const char *)data + at, size - at < piece ? size - at : piece,
                        collect, pieces);
    for (int i = 0; i < 2; i++) {
        assert(whole[i].len == pieces[i].len);
        assert(whole[i].len == 0 || memcmp(whole[i].data, pieces[i].data, whole[i].len) == 0);
        buf_fini(&whole[i]);
        buf_fini(&pieces[i]);
    }
    return 0;
}
