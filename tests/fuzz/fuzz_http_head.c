// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "imaged/http_head.h"

/* The header lines of a registry's answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct http_answer a = {0};
    const char *at = (const char *)data;

    http_head_reset(&a);
    while (len > 0) {
        const char *end = memchr(at, '\n', len);
        size_t line = end ? (size_t)(end - at) : len;

        http_head_line(&a, at, line);
        line += end != NULL;
        at += line;
        len -= line;
    }
    assert(a.retry_after_ms >= -1 && a.range_start >= -1 && a.content_length >= -1);
    assert(!*a.digest || digest_is_valid(a.digest));
    http_answer_fini(&a);
    return 0;
}
