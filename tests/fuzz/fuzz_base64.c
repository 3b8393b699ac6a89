// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/base64.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_FREE char *text = xstrndup((const char *)data, len);
    AUTO_FREE char *coded = base64_encode_text(data, len), *again = NULL;
    size_t decoded_len = 0, again_len = 0;
    AUTO_FREE char *decoded = base64_decode_text(text, &decoded_len);

    assert(!decoded || decoded_len <= strlen(text) / 4 * 3 + 2);
    again = base64_decode_text(coded, &again_len);
    assert(again && again_len == len && memcmp(again, data, len) == 0);
    return 0;
}
