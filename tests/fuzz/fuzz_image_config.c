// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>

#include "base/own.h"
#include "image/image_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_FINI(image_config) c = {0};
    struct platform host;
    struct error err;

    if (image_config_parse((const char *)data, len, &c, &err) < 0)
        return 0;
    for (size_t i = 0; i < c.n_layers; i++)
        assert(digest_is_valid(c.diff_ids[i]));
    platform_host(&host);
    platform_rank(&host, &c.platform);
    return 0;
}
