// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "imaged/token.h"

/* A token server's answer. The token goes into a header line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *token = NULL;
    int64_t life_ms = 0;
    struct error err;

    if (token_decode((const char *)data, len, &token, &life_ms, &err) < 0)
        return 0;
    assert(*token && !strpbrk(token, " \r\n") && life_ms > 0);
    free(token);
    return 0;
}
