// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/json.h"
#include "oci/blockio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    JSON_AUTO *tree = oci_blockio_parse((const char *)data, len, &err);

    if (tree)
        json_text(tree);
    return 0;
}
