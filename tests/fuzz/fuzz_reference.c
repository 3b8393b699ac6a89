// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>

#include "base/own.h"
#include "image/reference.h"

/* What parses formats to a text that parses to the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_FREE char *text = xstrndup((const char *)data, len);
    struct image_reference ref, again;
    char formatted[REFERENCE_TEXT_SIZE], twice[REFERENCE_TEXT_SIZE];
    struct error err;

    reference_id_prefix(text);
    if (reference_is_id(text))
        assert(digest_hex(text));
    if (reference_parse(text, &ref, &err) < 0)
        return 0;
    assert(!*ref.tag != !*ref.digest);
    reference_format(&ref, formatted);
    if (reference_parse(formatted, &again, &err) < 0)
        abort();
    reference_format(&again, twice);
    assert(strcmp(formatted, twice) == 0);
    return 0;
}
