// SPDX-License-Identifier: Apache-2.0
#include <assert.h>
#include <stdint.h>

#include "base/own.h"
#include "image/challenge.h"
#include "image/redact.h"

/* Both read what a registry wrote: its challenges, and the URLs in its messages. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    AUTO_FREE char *text = xstrndup((const char *)data, len);
    AUTO_FREE char *redacted = redact_urls(text);
    AUTO_FREE char *again = redact_urls(redacted);
    AUTO_FINI(challenge_list) list = {0};
    struct error err;

    assert(strcmp(redacted, again) == 0);
    if (challenge_list_add(&list, text, &err) == 0)
        challenge_list_best(&list);
    return 0;
}
