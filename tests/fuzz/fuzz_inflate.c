// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>

#include "imaged/inflate.h"

/* A compressed layer, which comes in pieces: the first byte says how large they are. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO(inflate) *i = inflate_new();
    static char out[4096];
    char tail[INFLATE_MAGIC_MAX];
    struct error err;
    uint64_t total = 0;
    size_t piece = len ? (size_t)data[0] + 1 : 1;

    for (size_t at = 1; at < len; at += piece) {
        struct inflate_input in = {data + at, len - at < piece ? len - at : piece};
        ssize_t n;

        do {
            n = inflate_next(i, &in, out, sizeof out, &err);
            if (n < 0 || (total += (uint64_t)n) > (64U << 20))
                return 0;
            assert((size_t)n <= sizeof out);
        } while (in.len > 0 || n == sizeof out);
    }
    if (inflate_finish(i, tail, &err) < 0)
        return 0;
    return 0;
}
