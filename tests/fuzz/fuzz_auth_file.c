// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include "base/log.h"
#include "imaged/keyring.h"

/* Credentials as "docker login" writes them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const hosts[] = {"r.example", "r.example:5000", "docker.io"};
    struct error err;
    AUTO(keyring) *k = keyring_open(NULL, NULL, &err);

    log_set_level(LOG_ERROR);
    if (!k || keyring_add(k, "auth.json", (const char *)data, len, &err) < 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        const struct credentials *c = keyring_find(k, hosts[i], "team/app", false);

        if (c && c->secret)
            free(credentials_basic(c));
    }
    return 0;
}
