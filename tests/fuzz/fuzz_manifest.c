// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    struct platform host;
    AUTO_FINI(descriptor) copy = {0};
    AUTO(manifest) *m = manifest_parse((const char *)data, len, NULL, &err);
    const struct descriptor *best;

    if (!m)
        return 0;
    platform_host(&host);
    best = m->kind == MEDIA_TYPE_INDEX ? manifest_select(m, &host, &err) : &m->config;
    if (best)
        descriptor_copy(&copy, best);
    return 0;
}
