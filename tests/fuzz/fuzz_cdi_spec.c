// SPDX-License-Identifier: Apache-2.0
#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "oci/cdi_spec.h"

/* The first byte says whether it is YAML. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    JSON_AUTO *tree = NULL;

    if (len == 0)
        return 0;
    tree = cdi_spec_parse((const char *)data + 1, len - 1, *data == 'y', &err);
    if (tree)
        json_text(tree);
    return 0;
}
