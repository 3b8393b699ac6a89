// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>

#include "base/json.h"
#include "image/digest.h"
#include "image/image.h"

/* What berthd makes of the line by which berth-image tells of an image. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct error err;
    JSON_AUTO *event = json_parse((const char *)data, len, &err);
    AUTO(image) *i = event ? image_parse(event, &err) : NULL;

    if (!i)
        return 0;
    assert(digest_is_valid(i->id) && digest_is_valid(i->target) && digest_is_valid(i->manifest));
    for (size_t n = 0; n < i->n_layers; n++)
        assert(digest_is_valid(i->layers[n].chain_id) && digest_is_valid(i->layers[n].digest));
    image_free(image_copy_unnamed(i));
    return 0;
}
